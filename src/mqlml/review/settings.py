"""Settings of the review."""

from pydantic import BaseModel, ConfigDict


class ReviewSettings(BaseModel):
    """What a review looks at beside verdicts and reasons.

    With `text_terms` the words of reps' notes are counted, so that what many of them write
    about many leads is seen. They are never a feature.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_terms: bool = False
