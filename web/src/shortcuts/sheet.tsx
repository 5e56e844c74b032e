import { Dialog } from '@/ui/dialog'
import { Kbd } from '@/ui/kbd'
import { Switch } from '@/ui/switch'
import { keyNames, SHORTCUTS, type Shortcut } from './registry'
import { setCharacterKeys, useCharacterKeys } from './use-shortcuts'

const GROUPS = ['Library', 'Player', 'Selection', 'Anywhere'] as const
const ALL: readonly Shortcut[] = Object.values(SHORTCUTS)

export function ShortcutSheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { on } = useCharacterKeys()
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts" wide>
      <div className="mt-3 columns-2 gap-10">
        {GROUPS.map((group) => (
          <section key={group} className="mb-4 break-inside-avoid">
            <h3 className="mb-1 text-xs font-semibold text-accent">{group}</h3>
            <dl>
              {ALL.filter((shortcut) => shortcut.group === group).map((shortcut) => (
                <div key={shortcut.does} className="flex items-center justify-between gap-4 py-1">
                  <dt className="text-soft">{shortcut.does}</dt>
                  <dd className="flex shrink-0 gap-2">
                    {shortcut.keys.map((key) => (
                      <span key={key} className="flex gap-0.5">
                        {keyNames(key).map((name) => (
                          <Kbd key={name}>{name}</Kbd>
                        ))}
                      </span>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch checked={on} onChange={setCharacterKeys} className="flex! border-t border-line pt-3">
        Single-letter shortcuts
      </Switch>
    </Dialog>
  )
}
