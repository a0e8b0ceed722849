{{/* What everything of the release is called: the release, with `idlewatt` in it somewhere. 40 characters
at most: the pods of a StatefulSet bear its name and a hash in a label. */}}
{{- define "idlewatt.name" -}}
{{- if contains "idlewatt" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-idlewatt" (.Release.Name | trunc 31 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "idlewatt.redis.name" -}}
{{ include "idlewatt.name" . }}-redis
{{- end -}}

{{/* Labels that select pods, which never change. Call: include "idlewatt.selector" (list . "operator") */}}
{{- define "idlewatt.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: idlewatt
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of everything that the release makes. */}}
{{- define "idlewatt.labels" -}}
{{- $root := index . 0 -}}
{{ include "idlewatt.selector" . }}
app.kubernetes.io/part-of: idlewatt
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image: its digest, where one is given, goes before its tag. Call: (list .image "default tag") */}}
{{- define "idlewatt.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $image.repository $image.digest }}
{{- else -}}
{{ printf "%s:%s" $image.repository (default (index . 1) $image.tag) }}
{{- end -}}
{{- end -}}

{{/* The operator as the API server knows it. */}}
{{- define "idlewatt.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "idlewatt.name" . }}
{{- end -}}

{{/* The PriorityClass of the release's pods; empty where they have none. */}}
{{- define "idlewatt.priorityClass" -}}
{{ .Values.priorityClass.name }}
{{- end -}}

{{/* What may be done to, and by, a container of the release. */}}
{{- define "idlewatt.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "idlewatt.podSecurity" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}
