/** What belongs to a sample besides its sound: tags, collections, the file. */
import { Link } from '@tanstack/react-router'
import { Plus, X } from 'lucide-react'
import { useId, useState } from 'react'
import type { Sample, SampleDetail } from '@/api/types'
import { AddToCollectionItems, NewCollectionDialog } from '@/features/collections/add-menu'
import { bytes, dateTime, seconds, useChangeSample, useFacets } from '@/features/samples'
import { IconButton } from '@/ui/button'
import { Input } from '@/ui/input'
import { Menu } from '@/ui/menu'
import { notifyFailure } from '@/ui/toast'
import { Card } from './card'

export function TagsCard({ sample }: { sample: SampleDetail }) {
  const [text, setText] = useState('')
  const known = useId()
  const { data: facets } = useFacets()
  const { mutate } = useChangeSample(sample.id)
  const save = (tags: string[]) =>
    mutate({ tags }, { onError: (error) => notifyFailure('The tags were not saved', error) })

  function add() {
    const fresh = text
      .split(',')
      .map((tag) => tag.trim().toLowerCase())
      .filter((tag) => tag && !sample.tags.includes(tag))
    setText('')
    if (fresh.length) save([...sample.tags, ...new Set(fresh)])
  }

  return (
    <Card title="Tags and vibe">
      {sample.vibe && <p className="mb-2 text-soft">{sample.vibe}</p>}
      <ul aria-label="Tags" className="mb-2 flex flex-wrap gap-1">
        {sample.tags.map((tag) => (
          <li key={tag} className="inline-flex h-6 items-center rounded bg-hover pl-2 text-xs">
            {tag}
            <button
              type="button"
              aria-label={`Remove tag ${tag}`}
              onClick={() => save(sample.tags.filter((other) => other !== tag))}
              className="grid size-6 place-items-center rounded text-dim hover:text-ink"
            >
              <X size={11} />
            </button>
          </li>
        ))}
      </ul>
      <Input
        aria-label="Add tags"
        placeholder="Add a tag"
        list={known}
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' || event.key === ',') {
            event.preventDefault()
            add()
          }
        }}
        onBlur={add}
        className="text-xs"
      />
      <datalist id={known}>
        {facets?.tags.map(({ tag }) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
    </Card>
  )
}

export function CollectionsCard({ sample }: { sample: SampleDetail }) {
  const [gathered, setGathered] = useState<Sample[] | null>(null)
  return (
    <Card
      title="Collections"
      aside={
        <Menu
          trigger={
            <IconButton label="Add to a collection" className="-mr-2">
              <Plus size={14} />
            </IconButton>
          }
        >
          <AddToCollectionItems samples={[sample]} onNew={() => setGathered([sample])} />
        </Menu>
      }
    >
      {sample.collections.length === 0 ? (
        <p className="text-xs text-dim">In none yet.</p>
      ) : (
        <ul className="flex flex-col gap-1">
          {sample.collections.map(({ id, name }) => (
            <li key={id}>
              <Link
                to="/collections/$id"
                params={{ id }}
                className="inline-block max-w-full truncate py-0.5 hover:underline"
              >
                {name}
              </Link>
            </li>
          ))}
        </ul>
      )}
      <NewCollectionDialog samples={gathered} onClose={() => setGathered(null)} />
    </Card>
  )
}

const CHANNELS: Record<number, string> = { 1: 'mono', 2: 'stereo' }

export function FileCard({ sample, engine }: { sample: SampleDetail; engine: string | undefined }) {
  const { format, sample_rate, channels, duration } = sample
  const facts: [string, string][] = [
    ['File', sample.filename],
    [
      'Format',
      [format.toUpperCase(), channels && (CHANNELS[channels] ?? `${channels} channels`)]
        .filter(Boolean)
        .join(', '),
    ],
    ['Rate', sample_rate ? `${sample_rate / 1000} kHz` : '–'],
    ['Length', duration === null ? '–' : `${seconds(duration)}${duration < 60 ? ' s' : ''}`],
    ['Size', bytes(sample.size_bytes)],
    ['Added', dateTime(sample.created_at)],
    ['Engine', engine ?? '–'],
  ]
  return (
    <Card title="File">
      <dl className="grid grid-cols-[4rem_1fr] gap-y-1.5 text-xs">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-dim">{name}</dt>
            <dd className="truncate" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}
