"""Hyper-parameters of the two trainers and of evaluation."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.base import StrictModel
from trainer.config.fairness import FairnessConfig

PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class RetrievalConfig(StrictModel):
    """The two towers."""

    embedding_dim: PositiveInt = 64
    """Width of the vectors whose dot product is the score."""
    history_length: PositiveInt = 50
    """Latest events of a user that the query tower reads."""
    history: Literal["attention", "mean"] = "attention"
    """How it reads them: causal self-attention, or the mean of the items' vectors."""
    attention_blocks: PositiveInt = 1
    """Blocks of self-attention on top of each other."""
    attention_heads: PositiveInt = 1
    """Attention heads of a block; they share the width between them."""
    epochs: PositiveInt = 8
    """Passes over the training timelines at the most."""
    patience: PositiveInt = 2
    """Epochs without a higher NDCG@10 on the validation split before training stops."""
    positions_per_batch: PositiveInt = 1024
    """Events of a batch, padding included; the in-batch negatives are as many at the most."""
    uniform_negatives: Annotated[int, Field(ge=0)] = 512
    """Negatives drawn uniformly from the items that occur in training, shared by a batch."""
    temperature: PositiveFloat = 0.2
    """Divides the dot products of the unit-length vectors."""
    learning_rate: PositiveFloat = 0.002
    """Of Adam."""
    sparse_updates_from: PositiveInt = 200_000
    """Catalogue size from which an Adam step moves only the embeddings that its batch touches. It
    costs less, and learns a little worse."""
    dropout: Fraction = 0.3
    """Of attention and of the query tower's hidden layer."""
    id_dropout: Fraction = 0.3
    """Share of user and item ids hidden in training, so that a new one gets a sensible vector."""
    user_ids: bool = True
    """Whether a user's id has an embedding of its own beside what he did and is."""
    popularity_days: PositiveFloat = 7.0
    """Trailing window, in days, of the popularity that is added to the taste score; each user in it
    has one vote."""
    refresh_days: PositiveFloat = 5.0
    """How often the popularity that is served is refreshed: training sees it up to as stale."""
    popularity_prior: bool = True
    """Whether popularity has a part in the score at all: none in a log without a clock."""
    refit_epochs: Annotated[int, Field(ge=0)] = 1
    """Passes over train and valid together, when all is chosen, before the model is served."""
    warm_start: bool = False
    """Begins from the weights of the version that is pushed now, as they were before it learned
    its own valid split, where they have learned no event of this run's; see RECURRING.md. Not where
    the split goes by no clock."""
    warm_epochs: PositiveInt = 3
    """In the place of `epochs` where it begins so."""

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "RetrievalConfig":
        if self.embedding_dim % self.attention_heads:
            raise ValueError(
                f"attention_heads must divide embedding_dim = {self.embedding_dim}, "
                f"received {self.attention_heads}"
            )
        return self


class RankingConfig(StrictModel):
    """The ranking stage."""

    candidates: PositiveInt = 200
    """Items that retrieval hands to ranking."""
    negatives: PositiveInt = 12
    """Retrieved items that are set against each positive event in training."""
    max_events: PositiveInt = 200_000
    """Latest events, of train and of valid each, that ranking learns from."""
    id_dim: PositiveInt = 16
    """Width of ranking's own embeddings of user and item ids."""
    cross_layers: PositiveInt = 2
    """DCN-v2 cross layers."""
    hidden_units: list[PositiveInt] = [64, 32]
    """Dense layers above the cross layers."""
    dropout: Fraction = 0.3
    """Of the features, in training."""
    epochs: PositiveInt = 10
    """Passes over the training events at the most."""
    batch_size: PositiveInt = 1024
    """Events of a batch, each with its negatives."""
    learning_rate: PositiveFloat = 0.001
    """Of Adam."""


class TrainerConfig(StrictModel):
    """The hardware that both models are trained on."""

    strategy: Literal["auto", "one", "mirrored", "multi_worker", "tpu"] = "auto"
    """`one` device; `mirrored` on all GPUs of a machine; `multi_worker` on several machines, named
    in `TF_CONFIG`; `tpu`. `auto` takes what is there."""
    mixed_precision: bool = False
    """Computes in bfloat16 and keeps weights, losses and what is exported in float32."""
    xla: bool = False
    """Compiles the training step with XLA, on one device; batches are padded to a few shapes."""
    profile: bool = False
    """Traces steps 20 to 40 of the first epoch with TensorFlow's profiler, for TensorBoard."""


class EvaluationConfig(StrictModel):
    """What is measured and what it is held against."""

    recent_days: PositiveFloat = 7.0
    """Window of the `recent` popularity baseline."""
    fairness: list[FairnessConfig] = []
    """Groups that should be served alike."""
