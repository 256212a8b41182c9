"""How often the warnings on a run's health are wrong: alarms on runs that are well, silence on runs that are not."""
