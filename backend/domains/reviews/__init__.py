"""Human review (人工审查): referred cases, and decisions a customer wants a person to look at."""
