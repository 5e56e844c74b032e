import { useEffect, useRef, useState } from 'react'

export interface Surface {
  context: CanvasRenderingContext2D
  /** In the screen's own pixels. */
  width: number
  height: number
  /** The screen's pixels to one of the page. */
  scale: number
  /** The value of a custom property such as --color-line. */
  colour: (name: string) => string
}

interface CanvasProps {
  label: string
  className?: string
  /** Memoised: a new function draws anew. */
  draw: (surface: Surface) => void
}

/** A picture that is drawn anew when its size changes. */
export function Canvas({ label, className, draw }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })

  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context || !size.width) return
    const scale = window.devicePixelRatio || 1
    element.width = Math.round(size.width * scale)
    element.height = Math.round(size.height * scale)
    const style = getComputedStyle(element)
    draw({
      context,
      width: element.width,
      height: element.height,
      scale,
      colour: (name) => style.getPropertyValue(name),
    })
  }, [draw, size])

  return <canvas ref={canvas} role="img" aria-label={label} className={className} />
}
