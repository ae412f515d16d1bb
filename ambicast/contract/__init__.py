"""What travels between the programs: messages, their encoding, and the topics they travel on."""
