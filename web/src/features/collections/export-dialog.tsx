import { Download } from 'lucide-react'
import type { Collection } from '@/api/types'
import { count } from '@/features/samples'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { useExport } from './api'

interface ExportDialogProps {
  open: boolean
  onClose: () => void
  collection: Collection
}

export function ExportDialog({ open, onClose, collection }: ExportDialogProps) {
  const start = useExport(collection)
  return (
    <Dialog open={open} onClose={onClose} title="Export for SP-404MK2">
      <p className="text-soft">
        One zip archive with {count(collection.sample_count, 'sample')} in this order. Inside: a folder{' '}
        <code className="font-mono text-ink">IMPORT</code> with a folder for this collection, every sample as
        48 kHz, 16-bit WAV under a name the unit accepts, and a manifest that says which file came from which
        sample.
      </p>
      <h3 className="mt-4 mb-1 font-semibold">Load it on the unit</h3>
      <ol className="list-decimal space-y-1 pl-5 text-soft">
        <li>
          Unpack the archive and copy the IMPORT folder to the top level of the SD card. If there is one
          already, merge them.
        </li>
        <li>Put the card in. Hold SHIFT and press pad 14.</li>
        <li>Choose IMPORT from SD-CARD, then SAMPLE.</li>
        <li>
          Press the pad to fill, open the collection’s folder with VALUE and pick a file. SHIFT + VALUE
          selects several.
        </li>
      </ol>
      <div className="mt-5 flex justify-end">
        <Button
          look="primary"
          large
          busy={start.isPending}
          onClick={() => start.mutate(undefined, { onSuccess: onClose })}
        >
          <Download size={15} /> Download
        </Button>
      </div>
    </Dialog>
  )
}
