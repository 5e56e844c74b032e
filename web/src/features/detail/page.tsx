import { getRouteApi, useNavigate, useRouter } from '@tanstack/react-router'
import { ArrowLeft, CircleAlert, Download, Heart, Pause, Play, RotateCcw, Trash2 } from 'lucide-react'
import type { SampleDetail } from '@/api/types'
import { useLiveJob } from '@/features/jobs'
import { togglePlay, usePlayer } from '@/features/player'
import {
  deleteSamples,
  downloadSample,
  KindDot,
  toggleFavourite,
  useAnalyseAgain,
  useSample,
} from '@/features/samples'
import { useShortcuts } from '@/shortcuts'
import { Button, IconButton } from '@/ui/button'
import { Progress } from '@/ui/progress'
import { Loading } from '@/ui/spinner'
import { useTitle } from '@/ui/title'
import { analysisOf, course, traits } from './analysis'
import { KeyCard } from './key-card'
import { KindCard } from './kind-card'
import { LoudnessCard } from './loudness-card'
import { NameEditor } from './name-editor'
import { CollectionsCard, FileCard, TagsCard } from './surroundings'
import { TempoCard } from './tempo-card'
import { TraitsCard } from './traits-card'
import { WaveformView } from './waveform-view'

const route = getRouteApi('/member/samples/$id')

export function SamplePage() {
  const { id } = route.useParams()
  const { data: sample } = useSample(id)
  if (!sample) return <Loading what="the sample" />
  return <SampleView key={id} sample={sample} />
}

function SampleView({ sample }: { sample: SampleDetail }) {
  useTitle(sample.name)
  const analysis = analysisOf(sample)
  const movement = analysis ? course(analysis) : []
  useShortcuts({
    playPause: () => togglePlay(sample),
    favourite: () => void toggleFavourite([sample]),
  })
  return (
    <div className="h-full overflow-y-auto">
      <Header sample={sample} />
      <div className="mx-auto flex max-w-6xl flex-col gap-4 p-4 pb-10">
        <Unfinished sample={sample} />
        {analysis && (
          <>
            <WaveformView sample={sample} analysis={analysis} />
            {analysis.warnings.map((warning) => (
              <p key={warning} className="flex gap-2 text-xs text-warn">
                <CircleAlert size={14} className="shrink-0" aria-hidden /> {warning}
              </p>
            ))}
            <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4">
              <TempoCard sample={sample} analysis={analysis} />
              <KeyCard sample={sample} analysis={analysis} />
              <KindCard sample={sample} analysis={analysis} />
              <LoudnessCard analysis={analysis} />
            </div>
          </>
        )}
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4">
          {analysis && <TraitsCard title="Sound" traits={traits(analysis)} />}
          {movement.length > 0 && <TraitsCard title="Course and stereo" traits={movement} />}
          {/* Four columns, also for an analysis from before there was a course. */}
          <div className={movement.length > 0 ? 'flex flex-col gap-4' : 'contents'}>
            <TagsCard sample={sample} />
            <CollectionsCard sample={sample} />
          </div>
          <FileCard sample={sample} engine={analysis?.engine_version} />
        </div>
      </div>
    </div>
  )
}

function Header({ sample }: { sample: SampleDetail }) {
  const router = useRouter()
  const navigate = useNavigate()
  const running = usePlayer(
    (player) => player.sample?.id === sample.id && (player.state === 'playing' || player.state === 'loading'),
  )
  const again = useAnalyseAgain(sample.id)
  const busy = !sample.deferred && (sample.status === 'pending' || sample.status === 'processing')

  function back() {
    if (router.history.canGoBack()) router.history.back()
    else void navigate({ to: '/samples' })
  }

  return (
    <header className="sticky top-0 z-10 flex min-h-12 flex-wrap items-center gap-2 border-b border-line bg-ground px-3 py-2">
      <IconButton label="Back" onClick={back}>
        <ArrowLeft size={16} />
      </IconButton>
      <Button look="primary" disabled={sample.status !== 'completed'} onClick={() => togglePlay(sample)}>
        {running ? <Pause size={13} fill="currentColor" /> : <Play size={13} fill="currentColor" />}
        {running ? 'Pause' : 'Play'}
      </Button>
      <KindDot kind={sample.kind} />
      <NameEditor sample={sample} />
      {sample.folder && <span className="truncate text-xs text-dim">{sample.folder}</span>}
      <div className="flex-1" />
      <IconButton label="Favourite" pressed={sample.favourite} onClick={() => void toggleFavourite([sample])}>
        <Heart size={15} fill={sample.favourite ? 'currentColor' : 'none'} />
      </IconButton>
      <Button onClick={() => void downloadSample(sample.id)}>
        <Download size={13} /> Download
      </Button>
      <Button disabled={busy} busy={again.isPending} onClick={() => again.mutate()}>
        <RotateCcw size={13} /> Analyse again
      </Button>
      <IconButton
        label="Move to trash"
        onClick={() => {
          void deleteSamples([sample])
          back()
        }}
      >
        <Trash2 size={15} />
      </IconButton>
    </header>
  )
}

function Unfinished({ sample }: { sample: SampleDetail }) {
  const live = useLiveJob(sample.id)
  const again = useAnalyseAgain(sample.id)
  const job = live ?? sample.job
  if (sample.status === 'completed') return null
  if (sample.status === 'failed') {
    return (
      <section
        aria-label="Analysis failed"
        className="flex items-center gap-3 rounded-lg border border-[#5a2a24] bg-danger-wash p-4"
      >
        <CircleAlert size={20} className="shrink-0 text-danger" aria-hidden />
        <div className="flex-1">
          <h2 className="font-semibold">The analysis failed</h2>
          <p className="text-soft">
            {sample.error?.message ?? job?.error?.message ?? 'No reason was given.'}
          </p>
        </div>
        <Button large busy={again.isPending} onClick={() => again.mutate()}>
          <RotateCcw size={14} /> Try again
        </Button>
      </section>
    )
  }
  if (sample.deferred) {
    return (
      <section
        aria-label="Analysis"
        className="flex items-center gap-3 rounded-lg border border-line bg-panel p-4"
      >
        <p className="flex-1 text-soft">Not analysed. You prefer to ask for it.</p>
        <Button large look="primary" busy={again.isPending} onClick={() => again.mutate()}>
          Analyse
        </Button>
      </section>
    )
  }
  return (
    <section aria-label="Analysis" className="rounded-lg border border-line bg-panel p-4">
      <p className="mb-2 text-soft" aria-live="polite">
        {sample.status === 'pending'
          ? 'Waiting for its analysis'
          : `Being analysed${job?.step ? `: ${job.step}` : ''}`}
      </p>
      <Progress label="Analysis" value={job ? job.progress / 100 : 0} />
    </section>
  )
}
