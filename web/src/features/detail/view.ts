/** How people like to look at samples; kept on this device. */
import { create } from 'zustand'

interface View {
  spectrogram: boolean
  slices: boolean
}

const STORED = 'sample-agent.view'

function stored(): View {
  const usual = { spectrogram: true, slices: true }
  try {
    return { ...usual, ...(JSON.parse(localStorage.getItem(STORED) ?? '{}') as Partial<View>) }
  } catch {
    return usual
  }
}

export const useView = create<View>(stored)

function change(some: Partial<View>): void {
  useView.setState(some)
  localStorage.setItem(STORED, JSON.stringify(useView.getState()))
}

export const showSpectrogram = (spectrogram: boolean) => change({ spectrogram })
export const showSlices = (slices: boolean) => change({ slices })
