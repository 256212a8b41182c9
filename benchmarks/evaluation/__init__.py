"""How the networks that evaluation measures in were made, and what its scores cost."""
