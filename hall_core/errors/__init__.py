"""The whole error tree. Each class says who must do what.

QuiethallError
├── Refused                  a wish was refused, nothing changed; shown to the person who wished
│   ├── UnknownService · UnknownCounter · UnknownTicket · UnknownHall
│   ├── HallClosed · ServiceClosed · CounterNotOpen · CounterBusy · NobodyWaiting
│   ├── IllegalTransition · NothingToPostpone · BadRequest · PhoneInvalid · NoticesUnavailable
│   ├── RequestIdReused · NoGrant · ZoneExhausted · StorageUnavailable · HallUnreachable
│   ├── UnknownAppointment · AppointmentUsed · AppointmentNotNow · NoSlots · SlotFull · BookingPaused
│   └── LoginNeeded · Forbidden · TooManyAttempts
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
from hall_core.errors.refusals import (
    BadRequest,
    CounterBusy,
    CounterNotOpen,
    Forbidden,
    HallClosed,
    HallUnreachable,
    IllegalTransition,
    LoginNeeded,
    NobodyWaiting,
    NoGrant,
    NothingToPostpone,
    NoticesUnavailable,
    PhoneInvalid,
    RequestIdReused,
    ServiceClosed,
    StorageUnavailable,
    TooManyAttempts,
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
    "CounterBusy",
    "CounterNotOpen",
    "DeviceError",
    "DeviceRefused",
    "DeviceUnreachable",
    "Forbidden",
    "GatewayError",
    "GatewayRejected",
    "GatewayUnknown",
    "HallClosed",
    "HallUnreachable",
    "IllegalTransition",
    "JournalBroken",
    "LoginNeeded",
    "NoGrant",
    "NoSlots",
    "NobodyWaiting",
    "NothingToPostpone",
    "NoticesUnavailable",
    "PhoneInvalid",
    "ProfileInvalid",
    "QuiethallError",
    "Refused",
    "RequestIdReused",
    "ServiceClosed",
    "SettingsInvalid",
    "SlotFull",
    "StorageUnavailable",
    "StreamGap",
    "TooManyAttempts",
    "UnknownAppointment",
    "UnknownCounter",
    "UnknownHall",
    "UnknownService",
    "UnknownTicket",
    "WireError",
    "ZoneExhausted",
]
