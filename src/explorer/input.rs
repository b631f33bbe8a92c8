//! From the terminal library's events to ours.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::keymap::{Code, Key};
use super::message::Message;
use super::regions::Regions;

/// Rows that a notch of the wheel moves.
const WHEEL_ROWS: i32 = 3;

/// What an event means, given what was drawn where.
pub(super) fn message(event: Event, regions: &Regions) -> Option<Message> {
    match event {
        Event::Key(key) => (key.kind != KeyEventKind::Release)
            .then(|| key_of(key))
            .flatten()
            .map(Message::Key),
        Event::Paste(text) => Some(Message::Pasted(text)),
        Event::Resize(width, height) => Some(Message::Resized(width, height)),
        Event::Mouse(mouse) => mouse_message(mouse, regions),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn mouse_message(mouse: MouseEvent, regions: &Regions) -> Option<Message> {
    let target = regions.at(mouse.column, mouse.row)?;
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Message::Clicked(target)),
        MouseEventKind::ScrollDown => Some(Message::Wheel(target, WHEEL_ROWS)),
        MouseEventKind::ScrollUp => Some(Message::Wheel(target, -WHEEL_ROWS)),
        _ => None,
    }
}

fn key_of(event: KeyEvent) -> Option<Key> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let code = match event.code {
        KeyCode::Char(character) => Code::Char(character),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(number) => Code::F(number),
        _ => return None,
    };
    Some(Key { code, ctrl, alt })
}
