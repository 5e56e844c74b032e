import type { Trait } from './analysis'
import { Card } from './card'

export function TraitsCard({ title, traits }: { title: string; traits: Trait[] }) {
  return (
    <Card title={title}>
      <dl className="flex flex-col gap-1.5">
        {traits.map(({ name, word, number, meaning, warn }) => (
          <div
            key={name}
            title={meaning}
            className="grid grid-cols-[5.5rem_1fr_auto] items-baseline gap-x-1 text-xs"
          >
            <dt className="text-dim">{name}</dt>
            <dd className={warn ? 'text-warn' : ''}>{word}</dd>
            <dd className="font-mono text-2xs text-dim">{number}</dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}
