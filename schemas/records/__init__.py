"""One frozen value per thing that crosses the wire; field names equal the schemas'.

START READING HERE: an event (`ContentIngested`) becomes `ContentSignals`, and those
become a `RiskDecision`. The codec turns each into bytes and back.
"""

from schemas.records.activation import PolicyActivation, PolicyFile
from schemas.records.bank import BankEntry
from schemas.records.brakes import BrakeCount, BrakeDay, BrakeUploader
from schemas.records.decision import (
    AnomalyScore,
    BrakedRule,
    CategoryScore,
    Evidence,
    FiredRule,
    MarketAction,
    PolicyRef,
    RiskDecision,
)
from schemas.records.event import ContentIngested, MediaRef
from schemas.records.history import RecentUpload, UploaderHistory
from schemas.records.shadow import ShadowDecision, ShadowMarket
from schemas.records.signals import (
    BankMatch,
    CampaignFact,
    ContentSignals,
    GatedSpan,
    MediaFact,
    MediaHash,
    Missing,
    ModelUse,
    PictureLabel,
    PictureSignal,
    StageTime,
    SweptEntry,
    TextSignal,
    Transcript,
)
from schemas.records.words import CATEGORIES, Action, Category, Kind, Stage

__all__ = [
    "CATEGORIES",
    "Action",
    "AnomalyScore",
    "BankEntry",
    "BankMatch",
    "BrakeCount",
    "BrakeDay",
    "BrakeUploader",
    "BrakedRule",
    "CampaignFact",
    "Category",
    "CategoryScore",
    "ContentIngested",
    "ContentSignals",
    "Evidence",
    "FiredRule",
    "GatedSpan",
    "Kind",
    "MarketAction",
    "MediaFact",
    "MediaHash",
    "MediaRef",
    "Missing",
    "ModelUse",
    "PictureLabel",
    "PictureSignal",
    "PolicyActivation",
    "PolicyFile",
    "PolicyRef",
    "RecentUpload",
    "RiskDecision",
    "ShadowDecision",
    "ShadowMarket",
    "Stage",
    "StageTime",
    "SweptEntry",
    "TextSignal",
    "Transcript",
    "UploaderHistory",
]
