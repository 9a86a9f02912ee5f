"""What was sent, read again: records with secrets shortened, questions in WireMock's words, HAR and curl."""
