import type { Analysis } from '@/api/types'
import { traits } from './analysis'
import { Card } from './card'

export function SoundCard({ analysis }: { analysis: Analysis }) {
  return (
    <Card title="Sound">
      <dl className="flex flex-col gap-1.5">
        {traits(analysis).map(({ name, word, number, meaning }) => (
          <div key={name} title={meaning} className="grid grid-cols-[5.5rem_1fr_auto] items-baseline text-xs">
            <dt className="text-dim">{name}</dt>
            <dd>{word}</dd>
            <dd className="font-mono text-2xs text-dim">{number}</dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}
