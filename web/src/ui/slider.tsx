import { Slider as Base } from '@base-ui/react/slider'
import { classes } from './classes'

interface SliderProps {
  label: string
  value: number
  min: number
  max: number
  step?: number
  onChange: (value: number) => void
  className?: string
}

export function Slider({ label, value, min, max, step, onChange, className }: SliderProps) {
  return (
    <Base.Root value={value} min={min} max={max} step={step} onValueChange={onChange} className={className}>
      <Base.Control className="flex h-6 items-center">
        <Base.Track className="h-1 w-full rounded-full bg-[#3a342f]">
          <Base.Indicator className="rounded-full bg-soft" />
          <Base.Thumb
            aria-label={label}
            className={classes(
              'size-3 rounded-full bg-ink outline-offset-2 has-focus-visible:outline-2 has-focus-visible:outline-accent',
            )}
          />
        </Base.Track>
      </Base.Control>
    </Base.Root>
  )
}
