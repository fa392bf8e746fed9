"""Risky texts, written by the team for categories the public sets are thin in.

They name an intent, never a how-to; nothing here is about minors. Each entry is a
template; `SLOTS` fills it.
"""

from typing import Final

from schemas.records import Category

SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "whom": ("you", "him", "her", "them", "that judge", "your whole family"),
    "when": ("tomorrow", "tonight", "on sunday", "when you least expect it"),
    "place": ("the town hall", "the station", "the temple", "the newsroom"),
    "enemy": ("the traitors", "the unbelievers", "the government", "the invaders"),
    "bank": ("your bank", "the tax office", "the card security team", "tech support"),
    "secret": (
        "card number",
        "pin code",
        "password",
        "one time code",
        "account number",
    ),
    "coin": ("bitcoin", "crypto", "gold", "our trading bot"),
    "sum": ("500", "ten thousand", "2,000", "fifty thousand"),
    "insult": ("worthless idiot", "pathetic loser", "fat pig", "disgusting rat"),
    "name": ("Karen", "you", "Kevin", "this so-called singer"),
}

THREATS: Final[tuple[str, ...]] = (
    "i am going to kill {whom}",
    "I swear I will hurt {whom} {when}, just wait",
    "{when} i'm putting a bullet in {whom}",
    "you are dead {when}, i know where you live",
    "I'll cut your throat while you sleep",
    "i got a gun and your name is on it, you won't see the morning",
    "we will burn down {place} with everyone inside",
    "there will be a bomb at {place} {when}",
    "brothers, take up arms against {enemy} and show no mercy",
    "{enemy} must be executed, every one of them",
    "the man who attacked {place} is a hero and more should follow him",
    "join us, we train fighters for the war against {enemy}",
    "hang {enemy} in the streets, let their blood run",
    "when i catch {whom} i will beat {whom} until the breathing stops",
    "pull up on {whom} with the choppa, leave {whom} in the ground {when}",
    "somebody should shoot {whom}",
    "we hunt {enemy} {when} and leave nobody alive",
    "glory to the martyrs who struck {place}, the next attack is near",
    "i want to stab {whom} and watch {whom} die",
    "die, i'll murder {whom} with my own hands",
)

HARASSMENT: Final[tuple[str, ...]] = (
    "{name} is a {insult} and everybody knows it",
    "shut up you {insult}, nobody wants you here",
    "nobody will ever love you, you {insult}",
    "everyone go to {name}'s page and tell her what a {insult} she is",
    "you are so ugly, you should never show your face again you {insult}",
    "keep posting and we will make your life hell, {name}",
    "delete your account you talentless {insult}, you are a joke",
    "we all laugh at you behind your back, {insult}",
    "you disgust me, {name}, you stupid piece of garbage",
    "i will keep calling and following you until you break, bitch",
)

SELF_HARM: Final[tuple[str, ...]] = (
    "i want to kill myself {when}",
    "I don't want to be alive any more, I am going to end my life",
    "this is my last recording, goodbye, i can't go on and i will be gone {when}",
    "i keep cutting my arms because it is the only thing that helps",
    "i wrote the note already, {when} i take all the pills",
    "the world is better off without me and i'm going to end it",
    "just kill yourself, nobody will miss you",
    "do it, jump, end your life, everyone is waiting for it",
    "i hurt myself every night and i hide the scars",
    "i stopped eating to disappear, my bones are beautiful, starve with me",
    "i think about suicide every day and i have a plan",
    "tonight i'll hang myself, don't look for me",
    "sleeping forever is the only way out, i'm ready to die by my own hand",
)

FRAUD: Final[tuple[str, ...]] = (
    "this is {bank}, your account has been suspended, tell me your {secret} now",
    "Hello, we are calling from {bank}. To avoid a fine please confirm your {secret}.",
    "we found a virus on your computer, buy gift cards and read the codes to {bank}",
    "Your parcel is held, pay the fee of {sum} on this link within 24 hours",
    "congratulations you have won {sum} dollars, send your {secret} to claim the prize",
    "invest {sum} in {coin} today and double it in a week, guaranteed, no risk",
    "DM me to make {sum} a day from home with {coin}, no experience needed",
    "send {sum} to this wallet and i send back twice as much, giveaway ends {when}",
    "get {sum} real streams and followers for cheap, order now, guaranteed playlists",
    "Buy plays, likes and fake reviews, fast delivery, best price, message on telegram",
    "i am a lawyer for a late prince, i need your {secret} to send you {sum} million",
    "there is a warrant for your arrest, pay {sum} in gift cards to {bank} today",
    "mum it's me, i lost my phone, please send {sum} to this new number urgently",
    "FREE iphone!!! click the link, enter your {secret}, only today",
    "your subscription failed, log in here with your {secret} or lose your account",
    "hot singles near you are waiting, text now, premium rate",
    "lose weight with this miracle pill doctors hate, order now with your card",
    "we can erase your debt, just pay {sum} up front and give us your {secret}",
    "do not hang up, do not tell anyone, move your money to this safe account {when}",
    "copyright strike on your channel, verify your {secret} here or be deleted",
)

GORE: Final[tuple[str, ...]] = (
    "his guts spilled over the floor and blood sprayed from the torn neck",
    "real footage of the accident, the severed head lies on the road",
    "they skinned the man alive and he screamed while the flesh came off",
    "watch the uncut execution video, you see the brains on the wall",
    "blood everywhere, the bone stuck out of the leg and the skin hung in strips",
    "she kept stabbing until the belly was open and the intestines fell out",
    "the body was in pieces, arms ripped off, eyes gouged out",
    "he crushed the skull with a hammer and the blood splashed on his face",
    "gore compilation: mangled corpses, burned bodies, crushed limbs",
    "the chainsaw tore through his chest and the lungs hung out, dripping",
    "rotting corpses with open wounds and worms crawling in the flesh",
)

SEXUAL: Final[tuple[str, ...]] = (
    "explicit adult audio, two adults having sex, moaning, uncensored",
    "watch my nude videos, i take everything off for you, adults only",
    "i want to fuck you all night, ride you until you come",
    "hot wife sucks cock and swallows, full porn clip",
    "erotic story for adults: he slid his hand between her thighs and she moaned",
    "she got on her knees, opened his belt and took him in her mouth",
    "xxx hardcore, wet pussy, big dick, free porn tonight",
    "lick my body, i'm so wet, put it inside me baby, harder",
    "phone sex line, horny women over thirty want to talk dirty with you",
    "their naked bodies moved together, he thrust deeper until they both climaxed",
    "my onlyfans has the full sex tape, subscribe to see me naked",
    "i'm so horny, send nudes, i want you to touch yourself",
)

INTENTS: Final[tuple[tuple[str, dict[Category, int], tuple[str, ...]], ...]] = (
    ("threats", {Category.VIOLENT_EXTREMISM: 1}, THREATS),
    ("harassment", {Category.HARASSMENT: 1}, HARASSMENT),
    ("self_harm", {Category.SELF_HARM: 1}, SELF_HARM),
    ("fraud", {Category.FRAUD_SPAM: 1}, FRAUD),
    ("gore", {Category.GRAPHIC_VIOLENCE: 1, Category.VIOLENT_EXTREMISM: 1}, GORE),
    ("sexual", {Category.SEXUAL_CONTENT: 1}, SEXUAL),
)
# Where one intent says nothing about another category: a threat may also be harassment,
# gore is often called violence, and so on. The rest is 0.
UNKNOWN_BESIDE: Final[dict[str, frozenset[Category]]] = {
    "threats": frozenset({Category.HARASSMENT, Category.GRAPHIC_VIOLENCE}),
    "harassment": frozenset({Category.VIOLENT_EXTREMISM, Category.HATE}),
    "self_harm": frozenset({Category.HARASSMENT, Category.VIOLENT_EXTREMISM}),
    "fraud": frozenset({Category.SEXUAL_CONTENT, Category.HARASSMENT}),
    "gore": frozenset(),
    "sexual": frozenset({Category.FRAUD_SPAM, Category.HARASSMENT}),
}
