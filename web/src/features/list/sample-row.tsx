import { Check, Heart, MoreHorizontal, Pause, Play } from 'lucide-react'
import { memo } from 'react'
import type { Sample } from '@/api/types'
import { useLiveJob } from '@/features/jobs'
import { usePlayer } from '@/features/player'
import { bpm, KeyLabel, KindDot, seconds, useAnalyseAgain, Wave } from '@/features/samples'
import { Button } from '@/ui/button'
import { Tag } from '@/ui/chip'
import { classes } from '@/ui/classes'
import { Progress } from '@/ui/progress'
import { Spinner } from '@/ui/spinner'

export const ROW_HEIGHT = 36

/** On narrow screens waveform, key and tags make room for the name; the sample's page has them all. */
export const COLUMNS = [
  'grid grid-cols-[26px_28px_30px_minmax(0,1fr)_48px_44px_28px] items-center pr-2 pl-1.5',
  'md:grid-cols-[26px_28px_30px_minmax(130px,1.2fr)_minmax(100px,1fr)_56px_84px_48px_28px]',
  'xl:grid-cols-[26px_28px_30px_minmax(150px,1.35fr)_minmax(120px,1.6fr)_60px_88px_52px_minmax(0,1.2fr)_28px]',
].join(' ')

export interface RowActions {
  press: (index: number, event: React.MouseEvent) => void
  open: (index: number) => void
  playPause: (index: number) => void
  toggle: (index: number, range: boolean) => void
  favourite: (index: number) => void
  menu: (index: number, anchor: Element | { x: number; y: number }) => void
  drag: (index: number, event: React.DragEvent) => void
}

interface SampleRowProps {
  sample: Sample
  index: number
  active: boolean
  selected: boolean
  /** Which edge a dragged row would land at, while one is over this row. */
  landing?: 'before' | 'after'
  actions: RowActions
}

const SMALL = 'grid size-7 place-items-center rounded-md hover:bg-[#3a342f] hover:text-ink'

export const SampleRow = memo(function SampleRow({
  sample,
  index,
  active,
  selected,
  landing,
  actions,
}: SampleRowProps) {
  const { id, name, folder, kind, status, favourite } = sample
  const playing = usePlayer((player) => (player.sample?.id === id ? player.state : null))
  const running = playing === 'playing' || playing === 'loading'
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it listens to the keys
    <div
      role="row"
      tabIndex={-1}
      id={rowId(id)}
      aria-rowindex={index + 2}
      aria-selected={selected}
      draggable
      onDragStart={(event) => actions.drag(index, event)}
      onClick={(event) => actions.press(index, event)}
      onDoubleClick={() => actions.open(index)}
      onContextMenu={(event) => {
        event.preventDefault()
        actions.menu(index, { x: event.clientX, y: event.clientY })
      }}
      className={classes(
        COLUMNS,
        'group h-9 border-b border-[#1c1917] select-none',
        selected ? 'bg-[#33200f]' : active ? 'bg-raised' : playing ? 'bg-accent-wash' : 'hover:bg-panel',
        active &&
          'shadow-[inset_2px_0_var(--color-accent)] group-focus-visible/grid:outline-1 group-focus-visible/grid:-outline-offset-1 group-focus-visible/grid:outline-accent',
        landing === 'before' && 'shadow-[inset_0_2px_var(--color-accent)]',
        landing === 'after' && 'shadow-[inset_0_-2px_var(--color-accent)]',
      )}
    >
      <div role="gridcell">
        <button
          type="button"
          tabIndex={-1}
          aria-label={`Select ${name}`}
          aria-pressed={selected}
          onClick={(event) => {
            event.stopPropagation()
            actions.toggle(index, event.shiftKey)
          }}
          className="grid size-7 place-items-center"
        >
          <span
            className={classes(
              'grid size-3.5 place-items-center rounded-[3px] border',
              selected
                ? 'border-accent bg-accent text-accent-ink'
                : 'border-edge opacity-0 group-hover:opacity-100 group-focus-within:opacity-100',
            )}
          >
            {selected && <Check size={11} strokeWidth={3.5} />}
          </span>
        </button>
      </div>
      <div role="gridcell">
        <button
          type="button"
          tabIndex={-1}
          aria-label={`${running ? 'Pause' : 'Play'} ${name}`}
          onClick={(event) => {
            event.stopPropagation()
            actions.playPause(index)
          }}
          disabled={status !== 'completed'}
          className={classes(SMALL, 'disabled:invisible', playing ? 'text-accent' : 'text-dim')}
        >
          {playing === 'loading' ? (
            <Spinner size={13} />
          ) : running ? (
            <Pause size={13} fill="currentColor" />
          ) : (
            <Play size={13} fill="currentColor" />
          )}
        </button>
      </div>
      <div role="gridcell">
        <button
          type="button"
          tabIndex={-1}
          aria-label={`Favourite ${name}`}
          aria-pressed={favourite}
          onClick={(event) => {
            event.stopPropagation()
            actions.favourite(index)
          }}
          className={classes(SMALL, favourite ? 'text-accent' : 'text-edge')}
        >
          <Heart size={13} fill={favourite ? 'currentColor' : 'none'} />
        </button>
      </div>
      <div role="gridcell" className="flex min-w-0 items-center gap-2 pr-4">
        <KindDot kind={kind} />
        <span
          className={classes(
            'shrink-0 truncate font-medium',
            folder ? 'max-w-full md:max-w-[70%]' : 'max-w-full',
            playing && 'text-accent',
          )}
          title={name}
        >
          {name}
        </span>
        {folder && (
          <span className="hidden min-w-0 truncate text-2xs text-dim md:inline" title={folder}>
            {folder}
          </span>
        )}
      </div>
      {status === 'completed' ? (
        <>
          <div role="gridcell" className="hidden h-7 md:block">
            <Wave waveform={sample.waveform} kind={kind} sampleId={id} className="h-full w-full" />
          </div>
          <Amount>{sample.tempo === null ? null : bpm(sample.tempo)}</Amount>
          <div role="gridcell" className="hidden pl-4 text-xs whitespace-nowrap md:block">
            <KeyLabel value={sample.key} />
          </div>
          <Amount>{sample.duration === null ? null : seconds(sample.duration)}</Amount>
          <Description sample={sample} />
        </>
      ) : (
        <div role="gridcell" aria-colspan={5} className="col-span-2 min-w-0 md:col-span-4 xl:col-span-5">
          <Unfinished sample={sample} />
        </div>
      )}
      <div role="gridcell">
        <button
          type="button"
          tabIndex={-1}
          aria-label={`More for ${name}`}
          aria-haspopup="menu"
          onClick={(event) => {
            event.stopPropagation()
            actions.menu(index, event.currentTarget)
          }}
          className={classes(SMALL, 'text-dim')}
        >
          <MoreHorizontal size={14} />
        </button>
      </div>
    </div>
  )
})

export function rowId(sampleId: string): string {
  return `sample-${sampleId}`
}

function Amount({ children }: { children: string | null }) {
  return (
    <div role="gridcell" className="text-right font-mono text-xs text-soft">
      {children ?? <span className="text-edge">–</span>}
    </div>
  )
}

function Description({ sample: { tags, vibe } }: { sample: Sample }) {
  return (
    <div
      role="gridcell"
      className="hidden min-w-0 items-center gap-1 overflow-hidden pl-5 xl:flex"
      title={[...tags, vibe].filter(Boolean).join(', ')}
    >
      {tags.slice(0, 3).map((tag) => (
        <Tag key={tag}>{tag}</Tag>
      ))}
      {vibe && (
        <span className={classes('min-w-0 truncate text-2xs text-dim', tags.length > 0 && 'pl-1')}>
          {vibe}
        </span>
      )}
    </div>
  )
}

function Unfinished({ sample }: { sample: Sample }) {
  const job = useLiveJob(sample.id)
  if (sample.status === 'failed') {
    return (
      <p className="truncate text-xs text-danger" title={sample.error?.message}>
        {sample.error?.message ?? 'The analysis failed.'}
      </p>
    )
  }
  if (sample.deferred) return <NotAnalysed sample={sample} />
  const started = sample.status === 'processing' && job
  return (
    <div className="flex items-center gap-3 text-xs text-dim">
      <Progress
        label={`Analysis of ${sample.name}`}
        value={started ? job.progress / 100 : 0}
        className="w-40"
      />
      <span className="truncate">{started ? job.step || 'Analysing' : 'Waiting for analysis'}</span>
    </div>
  )
}

/** Its owner prefers to ask for analyses. */
function NotAnalysed({ sample }: { sample: Sample }) {
  const analyse = useAnalyseAgain(sample.id)
  return (
    <div className="flex items-center gap-3">
      <Tag>Not analysed</Tag>
      <Button
        aria-label={`Analyse ${sample.name}`}
        busy={analyse.isPending}
        onClick={(event) => {
          event.stopPropagation()
          analyse.mutate()
        }}
      >
        Analyse
      </Button>
    </div>
  )
}
