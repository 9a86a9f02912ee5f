"""What operations do: each behaviour is Call → Result, each rule is Call → Call, found by their names in the tables."""
