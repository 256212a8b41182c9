"""The contenders: `build(case, options)` of each module gives what `contenders.Contender` describes."""
