"""The lab: real daemons in namespaces, scenarios, judges, reports. May import everyone."""
