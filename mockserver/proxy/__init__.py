"""A proxy that answers for the providers' hosts, and lets nothing else through but what is named."""
