"""What calls are judged by when they are over: the verdict, how strict it is, refusals that are declared."""
