import type { Analysis } from '@/api/types'
import { count } from '@/features/samples'
import { Card } from './card'
import { Big } from './correction'

/** Smaller than this, nobody hears it and no editor shows it. */
const OFFSET_WORTH_A_WORD = 0.005

export function LoudnessCard({ analysis }: { analysis: Analysis }) {
  const { integrated_lufs, true_peak_dbtp, sample_peak_dbfs } = analysis.loudness
  const { envelope, clipping, dc_offset = 0 } = analysis
  return (
    <Card title="Loudness">
      <Big>
        {integrated_lufs === null ? 'Silent' : integrated_lufs.toFixed(1)}
        {integrated_lufs !== null && <span className="ml-1 text-xs text-dim">LUFS</span>}
      </Big>
      <p className="text-xs text-dim">{integrated_lufs === null ? '' : level(integrated_lufs)}</p>
      <dl className="mt-3 grid grid-cols-[1fr_auto] gap-y-1 text-xs">
        <Figure name="True peak" warn={(true_peak_dbtp ?? -1) > 0}>
          {decibels(true_peak_dbtp, 'dBTP')}
        </Figure>
        <Figure name="Sample peak">{decibels(sample_peak_dbfs, 'dBFS')}</Figure>
        {envelope && integrated_lufs !== null && (
          <Figure name="Peak over average">{envelope.crest_db.toFixed(1)} dB</Figure>
        )}
        {clipping && clipping.count > 0 && (
          <Figure name="Clips" warn>
            {count(clipping.count, 'time')}
          </Figure>
        )}
        {clipping && clipping.over > 0 && (
          <Figure name="Over full scale" warn>
            {count(clipping.over, 'sample')}
          </Figure>
        )}
        {Math.abs(dc_offset) >= OFFSET_WORTH_A_WORD && (
          <Figure name="Off its zero line" warn>
            {(dc_offset * 100).toFixed(1)} %
          </Figure>
        )}
      </dl>
    </Card>
  )
}

function Figure({ name, warn, children }: { name: string; warn?: boolean; children: React.ReactNode }) {
  return (
    <>
      <dt className="text-dim">{name}</dt>
      <dd className={`font-mono ${warn ? 'text-warn' : ''}`}>{children}</dd>
    </>
  )
}

function level(lufs: number): string {
  if (lufs > -9) return 'very loud'
  if (lufs > -16) return 'loud'
  return lufs > -26 ? 'medium' : 'quiet'
}

function decibels(value: number | null, unit: string): string {
  return value === null ? '–' : `${value > 0 ? '+' : ''}${value.toFixed(1)} ${unit}`
}
