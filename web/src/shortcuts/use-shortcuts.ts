import { useEffect, useRef } from 'react'
import { create } from 'zustand'
import { isCharacterKey, type ShortcutId, shortcutFor } from './registry'

const STORED = 'sample-agent.character-keys'

/** Single-character shortcuts can be switched off (WCAG 2.1.4). */
export const useCharacterKeys = create<{ on: boolean }>(() => ({
  on: typeof localStorage === 'undefined' || localStorage.getItem(STORED) !== 'off',
}))

export function setCharacterKeys(on: boolean): void {
  localStorage.setItem(STORED, on ? 'on' : 'off')
  useCharacterKeys.setState({ on })
}

export type ShortcutHandlers = Partial<Record<ShortcutId, (event: KeyboardEvent) => void>>

const TYPING = 'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]'
const OWN_KEYS = '[role=dialog], [role=alertdialog], [role=menu], [role=listbox], [data-own-keys]'
const PRESSED_BY_ENTER_AND_SPACE = 'button, a, summary, [role=switch], input'

/** Listens for shortcuts anywhere on the page, but never while someone types, or inside a dialog or menu. */
export function useShortcuts(handlers: ShortcutHandlers): void {
  const latest = useRef(handlers)
  useEffect(() => {
    latest.current = handlers
  })
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.defaultPrevented || event.isComposing) return
      const target = event.target instanceof Element ? event.target : null
      if (target?.closest(TYPING) || target?.closest(OWN_KEYS)) return
      if ((event.key === 'Enter' || event.key === ' ') && target?.closest(PRESSED_BY_ENTER_AND_SPACE)) return
      if (isCharacterKey(event) && !useCharacterKeys.getState().on) return
      const id = shortcutFor(event)
      const handler = id && latest.current[id]
      if (!handler) return
      event.preventDefault()
      handler(event)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])
}
