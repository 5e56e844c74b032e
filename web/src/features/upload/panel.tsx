import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Check, ChevronDown, ChevronUp, CircleAlert, Copy, RotateCcw, X } from 'lucide-react'
import { useRef, useState } from 'react'
import { count } from '@/features/samples'
import { Button, IconButton } from '@/ui/button'
import { classes } from '@/ui/classes'
import { Progress } from '@/ui/progress'
import { Spinner } from '@/ui/spinner'
import {
  cancelAll,
  cancelUpload,
  clearFinished,
  isOngoing,
  retryFailed,
  retryUpload,
  type Upload,
  useUploads,
} from './queue'

const ROW = 44

/** The queue in the corner: what is on its way, what failed and why. */
export function UploadPanel() {
  const { uploads, skipped } = useUploads()
  const [chosen, setOpen] = useState<boolean | null>(null)
  if (uploads.length === 0) return null
  const of = (...states: Upload['state'][]) => uploads.filter(({ state }) => states.includes(state)).length
  const ongoing = uploads.filter(isOngoing).length
  const failed = of('failed')
  // Out of the way once everything went well, unless someone wants to look.
  const open = chosen ?? (ongoing > 0 || failed > 0)
  const overall = uploads.reduce((sum, upload) => sum + weight(upload), 0) / uploads.length
  const facts = [
    of('done') ? `${of('done')} ready` : '',
    of('duplicate') ? `${of('duplicate')} already there` : '',
    failed ? `${failed} failed` : '',
    of('cancelled') ? `${of('cancelled')} cancelled` : '',
    skipped ? `${skipped} not audio, skipped` : '',
  ].filter(Boolean)

  return (
    <section
      aria-label="Uploads"
      className="popup fixed right-4 bottom-[76px] z-30 flex w-96 flex-col overflow-hidden"
    >
      <header className="flex items-center gap-2 py-2 pr-2 pl-3">
        {ongoing ? (
          <Spinner />
        ) : failed ? (
          <CircleAlert size={14} className="text-danger" />
        ) : (
          <Check size={14} className="text-good" />
        )}
        <h2 className="flex-1 font-semibold" aria-live="polite">
          {ongoing
            ? `${uploads.length - ongoing} of ${count(uploads.length, 'file')}`
            : `${count(uploads.length, 'file')} handled`}
        </h2>
        {of('queued', 'sending') > 0 ? (
          <Button look="quiet" onClick={cancelAll}>
            Cancel uploads
          </Button>
        ) : (
          !ongoing && (
            <>
              {failed > 1 && (
                <Button look="quiet" onClick={retryFailed}>
                  Retry all failed
                </Button>
              )}
              <Button look="quiet" onClick={clearFinished}>
                Clear
              </Button>
            </>
          )
        )}
        <IconButton label={open ? 'Collapse the uploads' : 'Show the uploads'} onClick={() => setOpen(!open)}>
          {open ? <ChevronDown size={15} /> : <ChevronUp size={15} />}
        </IconButton>
      </header>
      <Progress
        label="All uploads"
        value={overall}
        tone={ongoing ? 'accent' : failed ? 'danger' : 'good'}
        className="rounded-none"
      />
      {facts.length > 0 && <p className="px-3 pt-2 text-xs text-soft">{facts.join(' · ')}</p>}
      {open && <UploadList uploads={inOrderOfInterest(uploads)} />}
    </section>
  )
}

const INTEREST: readonly Upload['state'][] = [
  'sending',
  'analysing',
  'failed',
  'queued',
  'cancelled',
  'duplicate',
  'done',
]

function inOrderOfInterest(uploads: readonly Upload[]): Upload[] {
  return INTEREST.flatMap((state) => uploads.filter((upload) => upload.state === state))
}

/** How much of an upload's way lies behind it: half is sending, half the analysis. */
function weight({ state, progress }: Upload): number {
  if (state === 'queued') return 0
  if (state === 'sending') return progress / 2
  return state === 'analysing' ? 0.5 + progress / 2 : 1
}

function UploadList({ uploads }: { uploads: Upload[] }) {
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: uploads.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 4,
  })
  return (
    <div
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      role="region"
      aria-label="Upload list"
      className="mt-1 max-h-64 overflow-y-auto"
    >
      <ul className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const upload = uploads[index]
          return (
            upload && (
              <li
                key={upload.id}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${start}px)` }}
              >
                <UploadRow upload={upload} />
              </li>
            )
          )
        })}
      </ul>
    </div>
  )
}

const WORDS: Record<Upload['state'], string> = {
  queued: 'Waiting',
  sending: 'Uploading',
  analysing: 'Analysing',
  done: 'Ready',
  duplicate: 'Already in your library',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

function UploadRow({ upload }: { upload: Upload }) {
  const { state, found, progress, step, error, sampleId } = upload
  const { name } = found.file
  const active = state === 'sending' || state === 'analysing'
  const said = error ?? (active && step ? `${WORDS[state]}: ${step}` : WORDS[state])
  return (
    <div className="flex h-11 items-center gap-2 border-t border-line pr-2 pl-3">
      <div className="min-w-0 flex-1">
        <div className="flex items-baseline gap-2">
          {sampleId ? (
            <Link
              to="/samples/$id"
              params={{ id: sampleId }}
              className="truncate text-xs font-medium hover:underline"
            >
              {name}
            </Link>
          ) : (
            <span className="truncate text-xs font-medium">{name}</span>
          )}
          {found.folder && <span className="min-w-0 shrink truncate text-2xs text-dim">{found.folder}</span>}
        </div>
        <div className="flex items-center gap-2">
          <span
            title={said}
            className={classes(
              'truncate text-2xs',
              state === 'failed' ? 'text-danger' : state === 'done' ? 'text-good' : 'text-dim',
            )}
          >
            {said}
          </span>
          {active && (
            <Progress label={`${name}: ${WORDS[state]}`} value={progress} className="min-w-16 flex-1" />
          )}
        </div>
      </div>
      {state === 'duplicate' && <Copy size={13} className="text-dim" aria-hidden />}
      {(state === 'failed' || state === 'cancelled') && (
        <IconButton label={`Retry ${name}`} onClick={() => retryUpload(upload)}>
          <RotateCcw size={13} />
        </IconButton>
      )}
      {isOngoing(upload) && (
        <IconButton label={`Cancel ${name}`} onClick={() => cancelUpload(upload)}>
          <X size={13} />
        </IconButton>
      )}
    </div>
  )
}
