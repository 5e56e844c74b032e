/** Every keyboard shortcut: what listens for keys and the help sheet both read this table. */

export interface Shortcut {
  /** As `event.key`, with "Shift+" or "Mod+" (Ctrl, or ⌘ on a Mac) before it. */
  keys: readonly string[]
  does: string
  group: 'Library' | 'Player' | 'Selection' | 'Anywhere'
}

export const SHORTCUTS = {
  next: { keys: ['ArrowDown', 'j'], does: 'Next sample, and play it', group: 'Library' },
  previous: { keys: ['ArrowUp', 'k'], does: 'Previous sample, and play it', group: 'Library' },
  pageDown: { keys: ['PageDown'], does: 'A page down', group: 'Library' },
  pageUp: { keys: ['PageUp'], does: 'A page up', group: 'Library' },
  first: { keys: ['Home'], does: 'First sample', group: 'Library' },
  last: { keys: ['End'], does: 'Last sample', group: 'Library' },
  open: { keys: ['Enter'], does: 'Open the sample’s page', group: 'Library' },
  menu: { keys: ['m', 'Shift+F10', 'ContextMenu'], does: 'Menu of the sample', group: 'Library' },
  favourite: { keys: ['f'], does: 'Favourite on or off', group: 'Library' },
  remove: { keys: ['Delete', 'Backspace'], does: 'Move to the trash (with undo)', group: 'Library' },
  search: { keys: ['/'], does: 'Search', group: 'Library' },
  playPause: { keys: [' '], does: 'Play or pause', group: 'Player' },
  replay: { keys: ['r'], does: 'Play again from the start', group: 'Player' },
  loop: { keys: ['l'], does: 'Loop on or off', group: 'Player' },
  sync: { keys: ['s'], does: 'Play in the project’s tempo, on or off', group: 'Player' },
  select: { keys: ['x'], does: 'Select or deselect the sample', group: 'Selection' },
  extendDown: { keys: ['Shift+ArrowDown'], does: 'Extend the selection down', group: 'Selection' },
  extendUp: { keys: ['Shift+ArrowUp'], does: 'Extend the selection up', group: 'Selection' },
  selectAll: { keys: ['Mod+a'], does: 'Select everything loaded', group: 'Selection' },
  clear: { keys: ['Escape'], does: 'Clear the selection', group: 'Selection' },
  moveUp: { keys: ['Alt+ArrowUp'], does: 'Move the sample up in its collection', group: 'Selection' },
  moveDown: { keys: ['Alt+ArrowDown'], does: 'Move the sample down in its collection', group: 'Selection' },
  help: { keys: ['?'], does: 'This list', group: 'Anywhere' },
} as const satisfies Record<string, Shortcut>

export type ShortcutId = keyof typeof SHORTCUTS

const byKey = new Map<string, ShortcutId>(
  Object.entries(SHORTCUTS).flatMap(([id, { keys }]) => keys.map((key) => [key, id as ShortcutId] as const)),
)

type KeyPress = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>

export function shortcutFor({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyPress): ShortcutId | undefined {
  const letter = key.length === 1
  const parts = [ctrlKey || metaKey ? 'Mod' : '', altKey ? 'Alt' : '', shiftKey && !letter ? 'Shift' : '']
  return byKey.get([...parts.filter(Boolean), letter ? key.toLowerCase() : key].join('+'))
}

/** A single printed character, which people who speak to their computer may set off by accident. */
export function isCharacterKey({ key, ctrlKey, metaKey, altKey }: KeyPress): boolean {
  return key.length === 1 && key !== ' ' && !ctrlKey && !metaKey && !altKey
}

const NAMES: Record<string, string> = {
  ArrowDown: '↓',
  ArrowUp: '↑',
  PageDown: 'Page ↓',
  PageUp: 'Page ↑',
  ' ': 'Space',
  Escape: 'Esc',
  ContextMenu: '☰',
  Mod: typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl',
}

export function keyNames(key: string): string[] {
  return key.split('+').map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
}
