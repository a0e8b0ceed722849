"""An embedding model served over HTTP, as a pod that can be moved without losing a request."""

import os

# The wheel of ONNX Runtime sends events to its maker unless this is set before it is imported,
# which happens further inside this package. A guest on somebody's car reports to nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
