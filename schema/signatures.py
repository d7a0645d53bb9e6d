"""Names of servables, signatures and their tensors: the interface between trainer and serving.

    query      user and moment -> vector                  (retrieval trainer -> index, recommender)
    retrieval  user and moment -> nearest item ids        servable `retrieval`
    ranking    user, moment and candidates -> scores      servable `ranking`
    recommender  both stages in one call                  servable `recommender`

Inputs of every query: `user_id` string [batch]; `history_item_ids` string [batch, n], oldest first,
padded with ""; `history_timestamps` int64 [batch, n], seconds since epoch, UTC, or empty if all
events happen at `now`; `now` int64 [batch], 0 for the server's clock; `context_<name>` [batch] and
`user_<name>` [batch] for each declared feature. `retrieval` and `recommender` also have
`excluded_item_ids` string [batch, n] and `k` int32 [batch] and, if `data.items.filter` is declared,
`allowed_categories` string [batch, a], padded with ""; a row that holds only "" allows all items.
`recommender` also has `diversity` float [batch], 0 to 1.
`ranking` also has `candidate_item_ids` string [batch, c]. An input whose first dimension is 1
applies to all rows. All inputs except `candidate_item_ids` are optional
(`serving.protocol.signature_defaults`).

Outputs of `retrieval` and `recommender`: `item_ids` and `stages` string, `scores` float [batch, k],
`known_user` bool [batch]; of `ranking`: `relevance` and each label, float [batch, c].

SavedModels exchange indices instead of ids: the query model returns `vector` [batch, dim + 1],
`user_index` [batch], `history_index` [batch, n] (0 for an item outside the catalogue), `now` and
each `context_<name>` as Transform outputs it. The inputs of the ranking model are these outputs,
`candidates` [batch, c] (0 is padding) and their `log_popularity` [batch, c].
"""

SERVING_DEFAULT = "serving_default"

RETRIEVAL = "retrieval"
RANKING = "ranking"
RECOMMENDER = "recommender"
SERVABLES = (RETRIEVAL, RANKING, RECOMMENDER)

USER_ID = "user_id"
HISTORY_ITEM_IDS = "history_item_ids"
HISTORY_TIMESTAMPS = "history_timestamps"
NOW = "now"
EXCLUDED_ITEM_IDS = "excluded_item_ids"
ALLOWED_CATEGORIES = "allowed_categories"
CANDIDATE_ITEM_IDS = "candidate_item_ids"
K = "k"
DIVERSITY = "diversity"

ITEM_IDS = "item_ids"
SCORES = "scores"
STAGES = "stages"
RELEVANCE = "relevance"
KNOWN_USER = "known_user"
VECTOR = "vector"
USER_INDEX = "user_index"
HISTORY_INDEX = "history_index"
CANDIDATES = "candidates"
LOG_POPULARITY = "log_popularity"
