"""`python -m streams.training` trains the text-risk head, the only one there is."""

from streams.training.text_risk import main

if __name__ == "__main__":
    main()
