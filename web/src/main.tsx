import '@fontsource-variable/inter'
import '@fontsource-variable/jetbrains-mono'
import './styles.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Problem, Unreachable } from './api/problem'
import { App } from './app/app'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root, {
  // What the server refused is shown on the page and is no fault of the program.
  onCaughtError: (error) => {
    if (!(error instanceof Problem || error instanceof Unreachable)) console.error(error)
  },
}).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
