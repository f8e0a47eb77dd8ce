"""The whole error tree. Each class says who must do what.

QuiethallError
├── Refused                  a wish was refused, nothing changed; shown to the person who wished
│   ├── UnknownService · UnknownCounter · UnknownTicket · UnknownHall
│   ├── HallClosed · ServiceClosed · CounterNotOpen · CounterBusy · NobodyWaiting
│   ├── IllegalTransition · NothingToPostpone · BadRequest · NoticesUnavailable · PhoneInvalid
│   │   └── PhoneKeyDropped  the number is sealed to a key that is gone
│   ├── RequestIdReused · SlipInvalid · NoGrant · OverrideInvalid · OverrideUnavailable · BoxReplaced
│   ├── ZoneExhausted · StorageUnavailable · HallUnreachable · HallSaidNo
│   ├── PagerInUse · NoPagers · ServiceTwice · TooManyServices · AppointmentAlone · NothingChosen
│   ├── UnknownCase · CaseNotReady · UnknownReceiptAddress
│   ├── UnknownDevice · UnknownScreen · DeviceAway · DeviceCannot · DeviceSaidNo
│   ├── UnknownAppointment · AppointmentUsed · AppointmentNotNow · NoSlots · SlotFull · BookingPaused
│   ├── AlreadyBooked · IdentityNeeded · UnknownDraw · DrawRunning · DrawNotOpen · AlreadyRegistered
│   ├── UnknownAppeal · AppealDecided
│   └── LoginNeeded · Forbidden · TooManyAttempts · QuotaUsed · TimeUnsure
├── WireError                a message that must not be applied; the sender must be mended
├── StreamGap                facts are missing before this one; the sender repeats
├── DeviceError
│   ├── DeviceUnreachable    no answer: try again later
│   ├── DeviceRefused        the device said no: trying again will not help
│   └── BadFrame             bytes that are not the protocol's
├── ProfileInvalid           a profile's author must change the named line
├── SeedSealed               a draw's seed needs the controller's old key
├── SettingsInvalid          the administrator must change a setting before the program starts
├── JournalBroken            the box's storage failed; nothing may be issued until it is mended
└── GatewayError             a message gateway did not take a notice
    ├── GatewayRejected      it said no, for good
    └── GatewayUnknown       nobody knows whether it took it: ask before sending again
"""

from hall_core.errors.appointments import (
    AlreadyBooked,
    AlreadyRegistered,
    AppealDecided,
    AppointmentNotNow,
    AppointmentUsed,
    BookingPaused,
    DrawNotOpen,
    DrawRunning,
    IdentityNeeded,
    NoSlots,
    SlotFull,
    UnknownAppeal,
    UnknownAppointment,
    UnknownDraw,
)
from hall_core.errors.devices import DeviceAway, DeviceCannot, DeviceSaidNo, UnknownDevice, UnknownScreen
from hall_core.errors.faults import (
    BadFrame,
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
    GatewayError,
    GatewayRejected,
    GatewayUnknown,
    JournalBroken,
    ProfileInvalid,
    SeedSealed,
    SettingsInvalid,
    StreamGap,
    WireError,
)
from hall_core.errors.pagers import NoPagers, PagerInUse
from hall_core.errors.refusals import (
    BadRequest,
    BoxReplaced,
    CaseNotReady,
    CounterBusy,
    CounterNotOpen,
    Forbidden,
    HallClosed,
    HallSaidNo,
    HallUnreachable,
    IllegalTransition,
    LoginNeeded,
    NobodyWaiting,
    NoGrant,
    NothingToPostpone,
    NoticesUnavailable,
    OverrideInvalid,
    OverrideUnavailable,
    PhoneInvalid,
    PhoneKeyDropped,
    QuotaUsed,
    RequestIdReused,
    ServiceClosed,
    SlipInvalid,
    StorageUnavailable,
    TimeUnsure,
    TooManyAttempts,
    UnknownCase,
    UnknownCounter,
    UnknownHall,
    UnknownReceiptAddress,
    UnknownService,
    UnknownTicket,
    ZoneExhausted,
)
from hall_core.errors.root import QuiethallError, Refused
from hall_core.errors.trips import AppointmentAlone, NothingChosen, ServiceTwice, TooManyServices

__all__ = [
    "AlreadyBooked",
    "AlreadyRegistered",
    "AppealDecided",
    "AppointmentAlone",
    "AppointmentNotNow",
    "AppointmentUsed",
    "BadFrame",
    "BadRequest",
    "BookingPaused",
    "BoxReplaced",
    "CaseNotReady",
    "CounterBusy",
    "CounterNotOpen",
    "DeviceAway",
    "DeviceCannot",
    "DeviceError",
    "DeviceRefused",
    "DeviceSaidNo",
    "DeviceUnreachable",
    "DrawNotOpen",
    "DrawRunning",
    "Forbidden",
    "GatewayError",
    "GatewayRejected",
    "GatewayUnknown",
    "HallClosed",
    "HallSaidNo",
    "HallUnreachable",
    "IdentityNeeded",
    "IllegalTransition",
    "JournalBroken",
    "LoginNeeded",
    "NoGrant",
    "NoPagers",
    "NoSlots",
    "NobodyWaiting",
    "NothingChosen",
    "NothingToPostpone",
    "NoticesUnavailable",
    "OverrideInvalid",
    "OverrideUnavailable",
    "PagerInUse",
    "PhoneInvalid",
    "PhoneKeyDropped",
    "ProfileInvalid",
    "QuiethallError",
    "QuotaUsed",
    "Refused",
    "RequestIdReused",
    "SeedSealed",
    "ServiceClosed",
    "ServiceTwice",
    "SettingsInvalid",
    "SlipInvalid",
    "SlotFull",
    "StorageUnavailable",
    "StreamGap",
    "TimeUnsure",
    "TooManyAttempts",
    "TooManyServices",
    "UnknownAppeal",
    "UnknownAppointment",
    "UnknownCase",
    "UnknownCounter",
    "UnknownDevice",
    "UnknownDraw",
    "UnknownHall",
    "UnknownReceiptAddress",
    "UnknownScreen",
    "UnknownService",
    "UnknownTicket",
    "WireError",
    "ZoneExhausted",
]
