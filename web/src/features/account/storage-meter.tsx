import { bytes } from '@/features/samples'
import { Progress } from '@/ui/progress'
import { useUsage } from './api'

/** Warns from here on. */
const NEARLY_FULL = 0.8

export function StorageMeter() {
  const { data } = useUsage()
  if (!data) return null
  const { used_bytes, limit_bytes } = data.storage
  const share = limit_bytes ? Math.min(used_bytes / limit_bytes, 1) : null
  return (
    <div className="mb-1 px-2.5 py-2">
      <p className="mb-1.5 text-2xs text-dim">
        {limit_bytes ? `${bytes(used_bytes)} of ${bytes(limit_bytes)}` : `${bytes(used_bytes)} used`}
      </p>
      {share !== null && (
        <Progress label="Storage used" value={share} tone={share > NEARLY_FULL ? 'danger' : 'accent'} />
      )}
    </div>
  )
}
