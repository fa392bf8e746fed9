"""Figures that others published or that the issue names, with what they are on."""

from typing import Final

from schemas.records import Category
from streams.evaluation.figures import Against

_ALL_PROMPTS: Final = "all 1,680 prompts"

# Average precision, any category positive. Llama Guard's model card; ShieldGemma, arXiv
# 2407.21772, table 1; the linear SVM as run on all prompts.
OPENAI_ANY: Final = (
    Against("ShieldGemma 9B", 0.907, _ALL_PROMPTS),
    Against("ShieldGemma 2B", 0.887, _ALL_PROMPTS),
    Against("ShieldGemma 27B", 0.886, _ALL_PROMPTS),
    Against("OpenAI API 2023", 0.856, _ALL_PROMPTS),
    Against("Llama Guard 7B", 0.847, _ALL_PROMPTS),
    Against("Perspective", 0.787, _ALL_PROMPTS),
    Against("linear profanity SVM", 0.727, _ALL_PROMPTS),
)

# Average precision of TF-IDF with a linear head, cross-validated on the shared half.
OPENAI_TFIDF: Final = {
    Category.SEXUAL_CONTENT: 0.945,
    Category.HATE: 0.675,
    Category.VIOLENT_EXTREMISM: 0.304,
    Category.HARASSMENT: 0.351,
    Category.SELF_HARM: 0.698,
}

HATECHECK: Final = (Against("LoRA probe", 0.83),)
# Accuracy on denouncing quotations of hate (F20); arXiv 2012.15606.
HATECHECK_F20: Final = (
    Against("SiftNinja", 0.798, "all F20 cases"),
    Against("BERT-Davidson", 0.266, "all F20 cases"),
    Against("Perspective", 0.156, "all F20 cases"),
)

_ALL_SERIES: Final = "all 58 series"
# NAB v1.0 scoreboard by profile.
NAB: Final = {
    "standard": (
        Against("ARTime", 74.9, _ALL_SERIES),
        Against("Numenta HTM", 70.5, _ALL_SERIES),
        Against("CAD OSE", 69.9, _ALL_SERIES),
        Against("kNN-CAD", 58.0, _ALL_SERIES),
        Against("Relative Entropy", 54.6, _ALL_SERIES),
        Against("Random Cut Forest", 51.7, _ALL_SERIES),
        Against("Windowed Gaussian", 39.6, _ALL_SERIES),
        Against("random", 11.0, _ALL_SERIES),
    ),
    "reward low FP": (
        Against("ARTime", 65.1, _ALL_SERIES),
        Against("Numenta HTM", 62.6, _ALL_SERIES),
        Against("CAD OSE", 67.0, _ALL_SERIES),
        Against("kNN-CAD", 43.4, _ALL_SERIES),
    ),
    "reward low FN": (
        Against("ARTime", 80.4, _ALL_SERIES),
        Against("Numenta HTM", 75.2, _ALL_SERIES),
        Against("CAD OSE", 73.2, _ALL_SERIES),
        Against("kNN-CAD", 64.8, _ALL_SERIES),
    ),
}
