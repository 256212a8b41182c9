"""How time and memory of the zoo's commands grow with what they are given: README.md in this folder."""
