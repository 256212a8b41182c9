"""The networks that scores are measured in; each module is named in registry.yaml and answers the hook `extractor`."""
