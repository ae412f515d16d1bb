"""What this PoP host shall advertise and terminate now: decisions only, no IO, no clock."""
