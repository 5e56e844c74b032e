import { memo, useEffect, useId, useRef } from 'react'
import type { Kind } from '@/api/types'
import { onPosition, usePlayer } from '@/features/player'
import { kindColour } from './kind'
import { WAVE_HEIGHT, WAVE_WIDTH, wavePath } from './wave-path'

interface WaveProps {
  waveform: string | null
  kind: Kind | null
  sampleId: string
  className?: string
}

/** A sample's outline in its kind's colour; while it is the one in the player, the part already heard is lit. */
export const Wave = memo(function Wave({ waveform, kind, sampleId, className }: WaveProps) {
  const current = usePlayer((player) => player.sample?.id === sampleId)
  if (!waveform) return <div className={className} />
  const path = wavePath(waveform)
  return (
    <svg
      viewBox={`0 0 ${WAVE_WIDTH} ${WAVE_HEIGHT}`}
      preserveAspectRatio="none"
      className={className}
      fill={kindColour(kind)}
      aria-hidden
    >
      <path d={path} opacity={current ? 0.35 : 0.88} />
      {current && <Heard path={path} />}
    </svg>
  )
})

function Heard({ path }: { path: string }) {
  const clip = useId()
  const heard = useRef<SVGRectElement>(null)
  const head = useRef<SVGRectElement>(null)
  useEffect(
    () =>
      onPosition((fraction) => {
        const x = fraction * WAVE_WIDTH
        heard.current?.setAttribute('width', String(x))
        head.current?.setAttribute('x', String(Math.max(0, x - 0.25)))
      }),
    [],
  )
  return (
    <>
      <clipPath id={clip}>
        <rect ref={heard} x={0} y={0} width={0} height={WAVE_HEIGHT} />
      </clipPath>
      <path d={path} clipPath={`url(#${clip})`} />
      <rect ref={head} x={0} y={0} width={0.5} height={WAVE_HEIGHT} fill="var(--color-ink)" />
    </>
  )
}
