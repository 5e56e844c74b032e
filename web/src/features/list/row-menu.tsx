import { Menu } from '@base-ui/react/menu'
import { Download, FileAudio, FolderMinus, Heart, Trash2 } from 'lucide-react'
import type { Sample } from '@/api/types'
import { AddToCollectionItems } from '@/features/collections/add-menu'
import { count, deleteSamples, downloadSample, toggleFavourite } from '@/features/samples'
import { MenuItem, MenuSeparator } from '@/ui/menu'

export interface MenuAt {
  samples: Sample[]
  anchor: Element | { x: number; y: number }
}

interface RowMenuProps {
  at: MenuAt | null
  onClose: () => void
  onOpen: (sample: Sample) => void
  onNewCollection: (samples: Sample[]) => void
  onRemove?: (samples: Sample[]) => void
}

/** One menu for the whole list, opened where it was asked for. */
export function RowMenu({ at, onClose, onOpen, onNewCollection, onRemove }: RowMenuProps) {
  const samples = at?.samples ?? []
  const [first] = samples
  const single = samples.length === 1 ? first : undefined
  return (
    <Menu.Root open={at !== null} onOpenChange={(open) => !open && onClose()} modal={false}>
      <Menu.Portal>
        <Menu.Positioner anchor={at && anchorOf(at.anchor)} sideOffset={4} align="start" className="z-50">
          <Menu.Popup className="popup max-h-[60vh] min-w-48 overflow-y-auto p-1">
            {single ? (
              <>
                <MenuItem onSelect={() => onOpen(single)}>
                  <FileAudio size={13} /> Open
                </MenuItem>
                <MenuItem onSelect={() => void toggleFavourite(samples)}>
                  <Heart size={13} /> {single.favourite ? 'Not a favourite' : 'Favourite'}
                </MenuItem>
                <MenuItem onSelect={() => void downloadSample(single.id)}>
                  <Download size={13} /> Download original
                </MenuItem>
              </>
            ) : (
              <div className="px-2 py-1 text-2xs text-dim">{count(samples.length, 'sample')}</div>
            )}
            <MenuSeparator />
            <AddToCollectionItems samples={samples} onNew={() => onNewCollection(samples)} />
            <MenuSeparator />
            {onRemove && (
              <MenuItem onSelect={() => onRemove(samples)}>
                <FolderMinus size={13} /> Remove from this collection
              </MenuItem>
            )}
            <MenuItem danger onSelect={() => void deleteSamples(samples)}>
              <Trash2 size={13} /> Move to trash
            </MenuItem>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}

function anchorOf(anchor: MenuAt['anchor']) {
  if (anchor instanceof Element) return anchor
  return { getBoundingClientRect: () => DOMRect.fromRect({ ...anchor, width: 0, height: 0 }) }
}
