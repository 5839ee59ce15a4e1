//! TensorFlow's `event.proto` and `summary.proto`, as far as a run needs them; the numbers are the fields' own.

use prost::{Enumeration, Message, Oneof};

/// Something that happened.
#[derive(Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub what: Option<What>,
}

#[derive(Oneof)]
pub enum What {
    /// What the first event of a file says.
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Message)]
pub struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Values>,
}

/// `Summary.Value`.
#[derive(Message)]
pub struct Values {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(oneof = "Value", tags = "2, 4")]
    pub value: Option<Value>,
}

#[derive(Oneof)]
pub enum Value {
    #[prost(float, tag = "2")]
    Number(f32),
    #[prost(message, tag = "4")]
    Image(Image),
}

/// `Summary.Image`.
#[derive(Message)]
pub struct Image {
    #[prost(int32, tag = "1")]
    pub height: i32,
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// Channels.
    #[prost(int32, tag = "3")]
    pub colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub png: Vec<u8>,
}

#[derive(Message)]
pub struct SessionLog {
    #[prost(enumeration = "Status", tag = "1")]
    pub status: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum Status {
    Unspecified = 0,
    /// From this step on the events before it hold no more.
    Start = 1,
}
