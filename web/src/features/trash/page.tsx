import { useMutation } from '@tanstack/react-query'
import { RotateCcw, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { library, ok } from '@/api/client'
import type { Sample } from '@/api/types'
import {
  bytes,
  count,
  dateTime,
  KindDot,
  restoreSamples,
  samplesChanged,
  useSamples,
} from '@/features/samples'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/confirm'
import { Empty } from '@/ui/empty'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { notify, notifyFailure } from '@/ui/toast'

const QUERY = { deleted: true } as const

export function TrashPage() {
  useTitle('Trash')
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = useSamples(QUERY)
  const [asking, setAsking] = useState(false)
  const empty = useEmptyTrash(() => setAsking(false))
  if (!data) return <Loading what="the trash" />
  const samples = data.pages.flatMap((page) => page.samples)
  const total = data.pages[0]?.total ?? 0

  return (
    <div className="flex h-full flex-col">
      <header className="flex h-12 shrink-0 items-center gap-3 border-b border-line px-4">
        <h1 className="text-base font-semibold">Trash</h1>
        <span className="flex-1 text-xs text-dim">{total > 0 && count(total, 'sample')}</span>
        {total > 0 && (
          <Button look="danger" onClick={() => setAsking(true)}>
            <Trash2 size={13} /> Empty the trash
          </Button>
        )}
      </header>
      {total === 0 ? (
        <Empty icon={<Trash2 size={22} />} title="The trash is empty">
          Samples you delete wait here for a while and can be restored.
        </Empty>
      ) : (
        <div className="min-h-0 flex-1 overflow-y-auto">
          <ul aria-label="Deleted samples">
            {samples.map((sample) => (
              <DeletedRow key={sample.id} sample={sample} />
            ))}
          </ul>
          {hasNextPage && (
            <div className="p-3 text-center">
              <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                Show more
              </Button>
            </div>
          )}
        </div>
      )}
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Empty the trash?"
        description={`${count(total, 'sample')} will be deleted for good, files and all. This cannot be undone.`}
        action="Delete for good"
        busy={empty.isPending}
        onConfirm={() => empty.mutate()}
      />
    </div>
  )
}

function DeletedRow({ sample }: { sample: Sample }) {
  const restore = useMutation({ mutationFn: () => restoreSamples([sample.id]) })
  return (
    <li className="flex h-9 items-center gap-3 border-b border-[#1c1917] px-4 hover:bg-panel">
      <KindDot kind={sample.kind} />
      <span className="min-w-0 flex-1 truncate">
        <span className="font-medium">{sample.name}</span>{' '}
        <span className="text-2xs text-dim">{sample.folder}</span>
      </span>
      <span className="hidden font-mono text-2xs text-dim sm:inline">{bytes(sample.size_bytes)}</span>
      {sample.deleted_at && (
        <span className="hidden text-2xs text-dim md:inline">deleted {dateTime(sample.deleted_at)}</span>
      )}
      <Button
        look="quiet"
        busy={restore.isPending}
        aria-label={`Restore ${sample.name}`}
        onClick={() => restore.mutate()}
      >
        <RotateCcw size={12} /> Restore
      </Button>
    </li>
  )
}

function useEmptyTrash(onDone: () => void) {
  return useMutation({
    mutationFn: async () => ok(await library().DELETE('/api/trash')),
    onSuccess: ({ deleted }) => {
      onDone()
      notify(`${count(deleted, 'sample')} deleted for good`)
      void samplesChanged()
    },
    onError: (error) => notifyFailure('The trash was not emptied', error),
  })
}
