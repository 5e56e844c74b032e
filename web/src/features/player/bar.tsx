import { Link } from '@tanstack/react-router'
import { AlertCircle, Pause, Play, Repeat, Volume1, Volume2, VolumeX } from 'lucide-react'
import { useEffect, useId, useRef } from 'react'
import type { Sample } from '@/api/types'
import { bpm, KeyLabel, kindColour, seconds } from '@/features/samples'
import { WAVE_HEIGHT, WAVE_WIDTH, wavePath } from '@/features/samples/wave-path'
import { IconButton } from '@/ui/button'
import { inputClasses } from '@/ui/input'
import { Slider } from '@/ui/slider'
import { Spinner } from '@/ui/spinner'
import { Switch } from '@/ui/switch'
import { changeSettings, onPosition, seek, togglePlay, usePlayer } from './player'

export function PlayerBar() {
  const { sample, state, error, loop } = usePlayer()
  const running = state === 'playing' || state === 'loading'
  return (
    <section
      aria-label="Player"
      className="flex h-15 shrink-0 items-center gap-3 border-t border-line bg-panel px-3"
    >
      <button
        type="button"
        aria-label={running ? 'Pause' : 'Play'}
        disabled={!sample}
        onClick={() => togglePlay()}
        className="grid size-9 shrink-0 place-items-center rounded-lg bg-accent text-accent-ink hover:bg-[#ffa261] disabled:bg-raised disabled:text-edge"
      >
        {state === 'loading' ? (
          <Spinner size={16} />
        ) : running ? (
          <Pause size={16} fill="currentColor" />
        ) : (
          <Play size={16} fill="currentColor" />
        )}
      </button>
      <IconButton label="Loop" pressed={loop} onClick={() => changeSettings({ loop: !loop })}>
        <Repeat size={15} />
      </IconButton>
      <div className="w-28 min-w-0 shrink-0 sm:w-40 xl:w-52">
        {sample ? (
          <>
            <Link
              to="/samples/$id"
              params={{ id: sample.id }}
              className="block truncate font-medium hover:underline"
            >
              {sample.name}
            </Link>
            {state === 'failed' ? (
              <p role="alert" className="flex items-center gap-1 truncate text-2xs text-danger">
                <AlertCircle size={11} aria-hidden /> {error}
              </p>
            ) : (
              <p className="truncate text-2xs text-dim">{sample.vibe || sample.folder || sample.filename}</p>
            )}
          </>
        ) : (
          <p className="text-xs text-dim">Nothing playing</p>
        )}
      </div>
      {sample ? <Scrubber key={sample.id} sample={sample} /> : <div className="flex-1" />}
      <TempoSync />
      <Volume />
    </section>
  )
}

function Scrubber({ sample }: { sample: Sample }) {
  const clip = useId()
  const slider = useRef<HTMLDivElement>(null)
  const heard = useRef<SVGRectElement>(null)
  const head = useRef<HTMLDivElement>(null)
  const time = useRef<HTMLSpanElement>(null)
  const duration = sample.duration ?? 0

  useEffect(
    () =>
      onPosition((fraction, at) => {
        heard.current?.setAttribute('width', String(fraction * WAVE_WIDTH))
        if (head.current) head.current.style.transform = `translateX(${fraction * 100}%)`
        const shown = seconds(at)
        if (time.current && time.current.textContent !== shown) time.current.textContent = shown
        if (slider.current?.getAttribute('aria-valuenow') === at.toFixed(1)) return
        slider.current?.setAttribute('aria-valuenow', at.toFixed(1))
        slider.current?.setAttribute('aria-valuetext', `${at.toFixed(1)} of ${duration.toFixed(1)} seconds`)
      }),
    [duration],
  )

  function seekTo(clientX: number) {
    const box = slider.current?.getBoundingClientRect()
    if (box?.width) seek((clientX - box.left) / box.width)
  }

  const path = sample.waveform ? wavePath(sample.waveform) : ''
  return (
    <div className="flex min-w-0 flex-1 items-center gap-2.5">
      <span ref={time} className="w-11 text-right font-mono text-xs text-soft">
        0.00
      </span>
      <div
        ref={slider}
        role="slider"
        tabIndex={0}
        data-own-keys
        aria-label="Position"
        aria-valuemin={0}
        aria-valuemax={Number(duration.toFixed(1))}
        aria-valuenow={0}
        className="relative h-11 min-w-0 flex-1 touch-none overflow-hidden rounded"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          seekTo(event.clientX)
        }}
        onPointerMove={(event) => event.buttons === 1 && seekTo(event.clientX)}
        onKeyDown={(event) => {
          const step = { ArrowRight: 0.02, ArrowLeft: -0.02, PageUp: 0.1, PageDown: -0.1 }[event.key]
          const now = Number(event.currentTarget.getAttribute('aria-valuenow')) / (duration || 1)
          if (step) seek(now + step)
          else if (event.key === 'Home') seek(0)
          else if (event.key === ' ') togglePlay()
          else return
          event.preventDefault()
        }}
      >
        <svg
          viewBox={`0 0 ${WAVE_WIDTH} ${WAVE_HEIGHT}`}
          preserveAspectRatio="none"
          className="size-full"
          fill={kindColour(sample.kind)}
          aria-hidden
        >
          <clipPath id={clip}>
            <rect ref={heard} width={0} height={WAVE_HEIGHT} />
          </clipPath>
          <path d={path} opacity={0.35} />
          <path d={path} clipPath={`url(#${clip})`} />
        </svg>
        <div ref={head} className="pointer-events-none absolute inset-0">
          <div className="h-full w-0.5 bg-ink" />
        </div>
      </div>
      <span className="w-11 font-mono text-xs text-dim">{seconds(duration)}</span>
      <span className="hidden w-24 shrink-0 text-xs whitespace-nowrap xl:inline">
        {sample.tempo !== null && <span className="mr-2 font-mono text-soft">{bpm(sample.tempo)}</span>}
        {sample.key && <KeyLabel value={sample.key} />}
      </span>
    </div>
  )
}

function TempoSync() {
  const { sync, projectBpm, rate } = usePlayer()
  return (
    <div className="hidden shrink-0 items-center gap-2 border-l border-line pl-3 md:flex">
      <Switch checked={sync} onChange={(on) => changeSettings({ sync: on })}>
        Sync to
      </Switch>
      <label className="flex items-center gap-1 text-xs text-dim">
        <input
          type="number"
          aria-label="Project tempo in BPM"
          min={40}
          max={300}
          step={0.1}
          defaultValue={projectBpm}
          onChange={(event) => {
            const typed = event.target.valueAsNumber
            if (typed >= 40 && typed <= 300) changeSettings({ projectBpm: typed })
          }}
          className={`${inputClasses} w-16 font-mono text-xs`}
        />
        BPM
      </label>
      <span className="w-10 font-mono text-2xs text-dim">
        {sync && rate !== 1 ? `×${rate.toFixed(2)}` : ''}
      </span>
    </div>
  )
}

function Volume() {
  const volume = usePlayer((player) => player.volume)
  const Icon = volume === 0 ? VolumeX : volume < 0.5 ? Volume1 : Volume2
  return (
    <div className="hidden shrink-0 items-center gap-1.5 border-l border-line pl-2 md:flex">
      <IconButton
        label={volume === 0 ? 'Sound on' : 'Mute'}
        onClick={() => changeSettings({ volume: volume ? 0 : 0.9 })}
      >
        <Icon size={15} />
      </IconButton>
      <Slider
        label="Volume"
        value={volume}
        min={0}
        max={1}
        step={0.01}
        onChange={(value) => changeSettings({ volume: value })}
        className="w-20"
      />
    </div>
  )
}
