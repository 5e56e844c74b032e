export { ShortcutSheet } from './sheet'
export { type ShortcutHandlers, useShortcuts } from './use-shortcuts'
