import { Sparkles } from 'lucide-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { count, samplesChanged } from '@/features/samples'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/confirm'
import { Progress } from '@/ui/progress'
import { notify } from '@/ui/toast'
import { useReanalysis, useStart, useStop } from './api'
import { decline, reconsider, useDeclined } from './declined'
import { ended, standing } from './standing'

/** Offers the engine's present analysis to a library that has an older one, and shows how far it is. */
export function ReanalysisNotice() {
  const { data: state } = useReanalysis()
  const { version } = useDeclined()
  const start = useStart()
  useFollowing()
  const now = standing(state, version)
  if (!state || now.is === 'current') return null
  if (now.is === 'running')
    return <Running title={now.title} detail={now.detail} value={now.value} left={now.left} />
  return (
    <Strip title={now.title}>
      <Button
        busy={start.isPending}
        onClick={() => {
          reconsider()
          start.mutate()
        }}
      >
        {now.action}
      </Button>
      <Button look="quiet" onClick={() => decline(state.engine_version)}>
        Not now
      </Button>
    </Strip>
  )
}

function Running({
  title,
  detail,
  value,
  left,
}: {
  title: string
  detail: string
  value: number
  left: number
}) {
  const [asking, setAsking] = useState(false)
  const stop = useStop()
  return (
    <Strip title={title} detail={detail}>
      <Progress label="Analysing again" value={value} className="w-24 sm:w-40" />
      <Button look="quiet" onClick={() => setAsking(true)}>
        Stop
      </Button>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Stop analysing?"
        description={`What is done stays. The other ${count(left, 'sample')} keep their earlier analysis until you go on.`}
        action="Stop"
        busy={stop.isPending}
        onConfirm={() => stop.mutate(undefined, { onSettled: () => setAsking(false) })}
      />
    </Strip>
  )
}

function Strip({ title, detail, children }: { title: string; detail?: string; children: ReactNode }) {
  return (
    <section
      aria-label="Improved analysis"
      className="flex min-h-10 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-panel px-3 py-1.5 text-xs"
    >
      <Sparkles size={14} className="shrink-0 text-accent" aria-hidden />
      <p className="min-w-0 flex-1">
        {title}
        {detail && <span className="text-dim"> · {detail}</span>}
      </p>
      <div className="flex items-center gap-2">{children}</div>
    </section>
  )
}

const LISTS_PAUSE = 10_000

/** Lists follow every now and then while much is analysed, and once more at the end. */
function useFollowing(): void {
  const { data } = useReanalysis()
  const latest = data?.latest
  const active = latest?.active ?? false
  const wasActive = useRef(false)
  const last = useRef<typeof latest>(null)
  last.current = latest

  useEffect(() => {
    if (!active) return
    const timer = setInterval(() => void samplesChanged(), LISTS_PAUSE)
    return () => clearInterval(timer)
  }, [active])

  useEffect(() => {
    if (wasActive.current && !active) {
      void samplesChanged()
      if (last.current && !last.current.cancelled) notify(ended(last.current))
    }
    wasActive.current = active
  }, [active])
}
