//! The closed lists of the format, with the numbers and names of the original's public enumerations.

use std::fmt;

/// Makes an enumeration whose values have a number and a name.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $number:literal $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$value_doc])* $value = $number,)+ }

        impl $name {
            /// Every value, by its number.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The value of a number, if there is one.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$value),)+
                    _ => None,
                }
            }

            /// Its number.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

numbered! {
    /// What an entry is about.
    LogType {
        /// A request arrived.
        Request = 1 "REQUEST",
        /// Something became known about a request.
        RequestMeta = 2 "REQUEST_META",
        /// A response was begun.
        Response = 3 "RESPONSE",
        /// A response was sent, or was given up.
        ResponseFinished = 4 "RESPONSE_FINISHED",
        /// What the program wrote.
        Log = 5 "LOG",
        /// A process began, ended, or is alive.
        Lifecycle = 6 "LIFECYCLE",
        /// A process failed.
        UncaughtException = 7 "UNCAUGHT_EXCEPTION",
    }
}

numbered! {
    /// How severe an entry is; the lower, the more.
    LogLevel {
        /// A process cannot go on.
        Critical = 2 "CRITICAL",
        /// Something failed.
        Error = 4 "ERROR",
        /// Something unexpected that was coped with.
        Warn = 5 "WARN",
        /// Ordinary events.
        Info = 6 "INFO",
        /// Pings, which the reader needs and people do not.
        Internal = 8 "INTERNAL",
    }
}

numbered! {
    /// What happened to a process. From 8 on, the master wrote it.
    Lifecycle {
        /// A worker runs.
        WorkerStarted = 1 "WORKER_STARTED",
        /// A worker is about to accept requests.
        WorkerGoingOnline = 2 "WORKER_GOING_ONLINE",
        /// A worker accepts requests.
        WorkerOnline = 3 "WORKER_ONLINE",
        /// A worker is about to accept no more.
        WorkerGoingOffline = 4 "WORKER_GOING_OFFLINE",
        /// A worker accepts no more requests.
        WorkerOffline = 5 "WORKER_OFFLINE",
        /// A worker is about to end.
        WorkerDone = 6 "WORKER_DONE",
        /// A worker is alive.
        WorkerPing = 7 "WORKER_PING",
        /// A run of the server begins.
        StartingUp = 8 "STARTING_UP",
        /// All workers are up.
        StartingUpCompleted = 9 "STARTING_UP_COMPLETED",
        /// A run of the server is about to end.
        ShuttingDown = 10 "SHUTTING_DOWN",
        /// A run of the server ends.
        ShuttingDownCompleted = 11 "SHUTTING_DOWN_COMPLETED",
        /// A worker was begun.
        WorkerSpawned = 12 "WORKER_SPAWNED",
        /// A worker has ended.
        WorkerExited = 13 "WORKER_EXITED",
        /// The master is alive, and so are the workers that it lists.
        MasterPing = 14 "MASTER_PING",
    }
}

numbered! {
    /// The methods of HTTP that are stored as a number.
    HttpMethod {
        /// `GET`
        Get = 1 "GET",
        /// `HEAD`
        Head = 2 "HEAD",
        /// `POST`
        Post = 3 "POST",
        /// `PUT`
        Put = 4 "PUT",
        /// `PATCH`
        Patch = 5 "PATCH",
        /// `DELETE`
        Delete = 6 "DELETE",
        /// `OPTIONS`
        Options = 7 "OPTIONS",
        /// `TRACE`
        Trace = 8 "TRACE",
        /// `CONNECT`
        Connect = 9 "CONNECT",
    }
}

impl Lifecycle {
    /// Whether the master writes it, even where it is about a worker.
    #[must_use]
    pub const fn is_of_master(self) -> bool {
        self.number() >= 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_the_originals() {
        assert_eq!(LogType::from_number(7), Some(LogType::UncaughtException));
        assert_eq!(LogLevel::Internal.number(), 8);
        assert_eq!(LogLevel::from_number(3), None);
        assert_eq!(Lifecycle::MasterPing.name(), "MASTER_PING");
        assert_eq!(Lifecycle::ALL.len(), 14);
        assert_eq!(HttpMethod::from_number(9), Some(HttpMethod::Connect));
        assert_eq!(format!("{:<9}|", LogLevel::Warn), "WARN     |");
    }
}
