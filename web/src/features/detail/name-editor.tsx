import { Pencil } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { SampleDetail } from '@/api/types'
import { useChangeSample } from '@/features/samples'
import { IconButton } from '@/ui/button'
import { Input } from '@/ui/input'
import { notifyFailure } from '@/ui/toast'

/** The sample's name; an empty one goes back to the file's. */
export function NameEditor({ sample }: { sample: SampleDetail }) {
  const [draft, setDraft] = useState<string | null>(null)
  const { mutate } = useChangeSample(sample.id)

  // The field goes away with the keyboard's place in it: the place goes back to the button that opened it.
  const rename = useRef<HTMLButtonElement>(null)
  const leaving = useRef(false)
  useEffect(() => {
    if (draft === null && leaving.current) rename.current?.focus()
    leaving.current = false
  }, [draft])

  function save() {
    const name = draft?.trim()
    setDraft(null)
    if (name === undefined || name === sample.name) return
    mutate({ name: name || null }, { onError: (error) => notifyFailure('The name was not saved', error) })
  }

  if (draft === null) {
    return (
      <div className="group flex min-w-0 items-center gap-1">
        <h1 className="truncate text-base font-semibold">{sample.name}</h1>
        <IconButton ref={rename} label="Rename" onClick={() => setDraft(sample.name)}>
          <Pencil size={13} />
        </IconButton>
      </div>
    )
  }
  return (
    <Input
      aria-label="Name"
      autoFocus
      maxLength={255}
      value={draft}
      onChange={(event) => setDraft(event.target.value)}
      onFocus={(event) => event.target.select()}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== 'Escape') return
        // Or the same Enter would press the button that is focused next.
        event.preventDefault()
        leaving.current = true
        if (event.key === 'Enter') save()
        else setDraft(null)
      }}
      className="w-80 text-sm"
    />
  )
}
