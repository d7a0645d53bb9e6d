"""The vocabulary of the simulated shop: departments, styles, tags, regions, devices."""

from typing import NamedTuple


class Department(NamedTuple):
    """What one category's titles are made of."""

    nouns: tuple[str, ...]
    materials: tuple[str, ...]


DEPARTMENTS = {
    "Jackets": Department(
        ("Jacket", "Parka", "Blazer", "Anorak", "Windbreaker", "Overcoat"),
        ("Linen", "Denim", "Corduroy", "Tweed", "Waxed"),
    ),
    "Shoes": Department(
        ("Sneaker", "Boot", "Loafer", "Sandal", "Slipper", "Brogue"),
        ("Suede", "Canvas", "Leather", "Mesh", "Felt"),
    ),
    "Bags": Department(
        ("Backpack", "Satchel", "Tote", "Briefcase", "Duffel", "Clutch"),
        ("Nylon", "Jute", "Calfskin", "Quilted", "Raffia"),
    ),
    "Knitwear": Department(
        ("Sweater", "Cardigan", "Scarf", "Beanie", "Poncho", "Mitten"),
        ("Merino", "Cashmere", "Mohair", "Alpaca", "Cotton"),
    ),
    "Kitchen": Department(
        ("Skillet", "Teapot", "Saucepan", "Casserole", "Kettle", "Colander"),
        ("Copper", "Enamel", "Cast-Iron", "Steel", "Stoneware"),
    ),
    "Lighting": Department(
        ("Lamp", "Lantern", "Chandelier", "Sconce", "Spotlight", "Candlestick"),
        ("Brass", "Paper", "Opal", "Smoked-Glass", "Rattan"),
    ),
    "Furniture": Department(
        ("Chair", "Armchair", "Bookcase", "Stool", "Sideboard", "Desk"),
        ("Oak", "Walnut", "Birch", "Bamboo", "Velvet"),
    ),
    "Garden": Department(
        ("Planter", "Trellis", "Birdhouse", "Bench", "Hammock", "Fountain"),
        ("Terracotta", "Cedar", "Slate", "Wicker", "Zinc"),
    ),
    "Cycling": Department(
        ("Helmet", "Saddle", "Handlebar", "Pannier", "Pedal", "Jersey"),
        ("Carbon", "Titanium", "Alloy", "Reflective", "Gel"),
    ),
    "Camping": Department(
        ("Tent", "Stove", "Sleeping-Bag", "Cooler", "Headlamp", "Tarp"),
        ("Ripstop", "Goose-Down", "Fleece", "Insulated", "Folding"),
    ),
    "Music": Department(
        ("Guitar", "Ukulele", "Keyboard", "Flute", "Drum", "Microphone"),
        ("Mahogany", "Spruce", "Rosewood", "Electric", "Acoustic"),
    ),
    "Games": Department(
        ("Puzzle", "Chessboard", "Dominoes", "Card-Game", "Marble-Run", "Dice"),
        ("Wooden", "Magnetic", "Pocket", "Tin", "Cardboard"),
    ),
    "Stationery": Department(
        ("Notebook", "Fountain-Pen", "Planner", "Sketchbook", "Pencil-Case", "Envelope"),
        ("Lined", "Dotted", "Kraft", "Leatherette", "Recycled"),
    ),
    "Beauty": Department(
        ("Soap", "Lotion", "Shampoo", "Perfume", "Candle", "Balm"),
        ("Lavender", "Cedarwood", "Citrus", "Honey", "Aloe"),
    ),
    "Jewellery": Department(
        ("Necklace", "Bracelet", "Earring", "Ring", "Brooch", "Anklet"),
        ("Silver", "Gold", "Pearl", "Amber", "Jade"),
    ),
    "Gadgets": Department(
        ("Speaker", "Headphones", "Charger", "Webcam", "Projector", "Smartwatch"),
        ("Wireless", "Compact", "Rugged", "Portable", "Aluminium"),
    ),
}

STYLES = (
    "Blue", "Crimson", "Ivory", "Charcoal", "Emerald", "Mustard", "Coral", "Indigo",
    "Rustic", "Sleek", "Vintage", "Nordic", "Bold", "Quiet", "Playful", "Stately",
    "Botanical", "Urban", "Coastal", "Alpine", "Retro", "Minimal", "Ornate", "Sunny",
)  # fmt: skip

TAGS = (
    "handmade", "organic", "gift", "travel", "office", "outdoor", "kids", "luxury",
    "budget", "winter", "summer", "wedding", "festival", "cosy", "sporty", "classic",
    "colourful", "durable", "lightweight", "waterproof", "artisan", "modern", "family", "limited",
)  # fmt: skip

REGIONS = ("north", "south", "east", "west", "coast", "islands")

DEVICES = ("phone", "desktop", "tablet")
