"""Names that columns of users, items and times usually have."""

import re

USERS = (
    "userid", "user", "username", "customerid", "customer", "visitorid", "visitor", "memberid",
    "member", "accountid", "account", "uid", "clientid", "client", "buyerid", "reviewerid",
    "userpseudoid", "cookieid", "cookie", "deviceid", "sessionid", "session", "anonymousid",
    "buyer", "shopperid", "shopper", "guestid", "kundenid", "kundeid", "kunde", "useremail",
    "email",
)  # fmt: skip
SESSIONS = ("session", "sessionid")
ITEMS = (
    "itemid", "item", "productid", "product", "movieid", "movie", "articleid", "article",
    "parentasin", "asin", "bookid", "book", "isbn", "businessid", "business", "newsid", "news",
    "trackid", "track", "songid", "song", "artistid", "artist", "gameid", "game", "videoid",
    "video", "campaignid", "campaign", "adid", "contentid", "content", "skuid", "sku", "storyid",
    "recipeid", "placeid", "poiid", "locationid", "showid", "offerid", "appid", "postid", "jobid",
    "artikelid", "artikel", "produktid", "produkt", "lineitemsku",
)  # fmt: skip
TIMES = (
    "timestamp", "eventtimestamp", "eventtime", "time", "datetime", "ts", "date", "eventdate",
    "createdat", "created", "dateadded", "tdat", "unixreviewtime", "reviewtime", "visittime",
    "purchasedat", "purchasedate", "orderdate", "orderedat", "invoicedate", "transactiondate",
    "saledate", "when", "datum", "zeit", "bestelldatum",
)  # fmt: skip
TITLES = (
    "title",
    "name",
    "itemname",
    "productname",
    "prodname",
    "appname",
    "movietitle",
    "booktitle",
)
AVAILABLE = ("available", "isavailable", "instock", "isopen", "isactive", "active", "enabled")
RATINGS = ("rating", "ratings", "stars", "score", "overall", "bookrating", "star", "grade")
EVENTS = ("event", "eventtype", "eventname", "type", "action", "behavior", "behaviour", "kind")
PROPERTIES = ("property", "propertyname", "attribute", "attributename")
VALUES = ("value", "propertyvalue", "attributevalue")
OUTCOMES = (
    "click", "clicked", "isclick", "conversion", "converted", "purchase", "purchased", "bought",
    "like", "liked", "islike",
)  # fmt: skip
_COUNTED = {
    "rating", "ratings", "review", "reviews", "vote", "votes", "stars", "popularity", "count",
    "counts", "average", "avg", "rank", "sales", "likes", "useful", "helpful",
}  # fmt: skip
_USERS_FILE = re.compile(r"user|customer|member|profile|account|visitor|reader")
_ITEMS_FILE = re.compile(
    r"item|product|article|movie|film|book|business|game|song|track|artist|news|meta|catalog"
)


def normalize(name: str) -> str:
    """Returns letters and digits in lower case: `User-ID`, `user_id:token`, `a.user_id`, `user.id`
    and `users[0].id` are `userid`.
    """
    path = re.sub(r"\[[^\]]*\]", "", name.partition(":")[0]).lower()
    *parents, last = [re.sub(r"[\W_]", "", part) for part in path.split(".")]
    last = re.sub(r"(?<=.)(uuid|guid|nummer|nr)$", "id", last)
    return f"{parents[-1].removesuffix('s')}{last}" if parents and last == "id" else last


def is_known_name(name: str) -> bool:
    """Whether columns with this name usually hold a user, an item or a time."""
    return normalize(name) in (*USERS, *ITEMS, *TIMES)


def may_count_events(name: str) -> bool:
    """Whether a column of this name may be computed from the events that a model must predict."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    return not _COUNTED.isdisjoint(words)


def guess_kind(file_name: str) -> str | None:
    """Returns `items` or `users` if the name of the file suggests one of them."""
    found = [
        kind
        for kind, pattern in (("users", _USERS_FILE), ("items", _ITEMS_FILE))
        if pattern.search(file_name.lower())
    ]
    return found[0] if len(found) == 1 else None
