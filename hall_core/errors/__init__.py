"""The whole error tree. Each class says who must do what.

QuiethallError
├── Refused                  a wish was refused, nothing changed; shown to the person who wished
│   ├── UnknownService · UnknownCounter · UnknownTicket · UnknownHall
│   ├── HallClosed · ServiceClosed · CounterNotOpen · CounterBusy · NobodyWaiting
│   ├── IllegalTransition · NothingToPostpone · BadRequest · PhoneInvalid · NoticesUnavailable
│   ├── RequestIdReused · SlipInvalid · NoGrant · BoxReplaced
│   ├── ZoneExhausted · StorageUnavailable · HallUnreachable · HallSaidNo
│   ├── PagerInUse · NoPagers
│   ├── UnknownCase · CaseNotReady
│   ├── UnknownDevice · UnknownScreen · DeviceAway · DeviceCannot · DeviceSaidNo
│   ├── UnknownAppointment · AppointmentUsed · AppointmentNotNow · NoSlots · SlotFull · BookingPaused
│   └── LoginNeeded · Forbidden · TooManyAttempts · QuotaUsed
├── WireError                a message that must not be applied; the sender must be mended
├── StreamGap                facts are missing before this one; the sender repeats
├── DeviceError
│   ├── DeviceUnreachable    no answer: try again later
│   ├── DeviceRefused        the device said no: trying again will not help
│   └── BadFrame             bytes that are not the protocol's
├── ProfileInvalid           a profile's author must change the named line
├── SettingsInvalid          the administrator must change a setting before the program starts
├── JournalBroken            the box's storage failed; nothing may be issued until it is mended
└── GatewayError             a message gateway did not take a notice
    ├── GatewayRejected      it said no, for good
    └── GatewayUnknown       nobody knows whether it took it: ask before sending again
"""

from hall_core.errors.appointments import (
    AppointmentNotNow,
    AppointmentUsed,
    BookingPaused,
    NoSlots,
    SlotFull,
    UnknownAppointment,
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
    PhoneInvalid,
    QuotaUsed,
    RequestIdReused,
    ServiceClosed,
    SlipInvalid,
    StorageUnavailable,
    TooManyAttempts,
    UnknownCase,
    UnknownCounter,
    UnknownHall,
    UnknownService,
    UnknownTicket,
    ZoneExhausted,
)
from hall_core.errors.root import QuiethallError, Refused

__all__ = [
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
    "Forbidden",
    "GatewayError",
    "GatewayRejected",
    "GatewayUnknown",
    "HallClosed",
    "HallSaidNo",
    "HallUnreachable",
    "IllegalTransition",
    "JournalBroken",
    "LoginNeeded",
    "NoGrant",
    "NoPagers",
    "NoSlots",
    "NobodyWaiting",
    "NothingToPostpone",
    "NoticesUnavailable",
    "PagerInUse",
    "PhoneInvalid",
    "ProfileInvalid",
    "QuiethallError",
    "QuotaUsed",
    "Refused",
    "RequestIdReused",
    "ServiceClosed",
    "SettingsInvalid",
    "SlipInvalid",
    "SlotFull",
    "StorageUnavailable",
    "StreamGap",
    "TooManyAttempts",
    "UnknownAppointment",
    "UnknownCase",
    "UnknownCounter",
    "UnknownDevice",
    "UnknownHall",
    "UnknownScreen",
    "UnknownService",
    "UnknownTicket",
    "WireError",
    "ZoneExhausted",
]
