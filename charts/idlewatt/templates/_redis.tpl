{{/* Where telemetry is, for the operator. */}}
{{- define "idlewatt.redis.url" -}}
{{- if .Values.redis.enabled -}}
redis://{{ include "idlewatt.redis.name" . }}.{{ .Release.Namespace }}.svc:6379/0
{{- else -}}
{{- $redis := .Values.externalRedis -}}
{{- $host := ternary (printf "[%s]" $redis.host) $redis.host (contains ":" $redis.host) -}}
{{ ternary "rediss" "redis" $redis.tls.enabled }}://{{ $host }}:{{ $redis.port }}/{{ $redis.database }}
{{- end -}}
{{- end -}}

{{/* The Secret with the passwords of the embedded Redis. */}}
{{- define "idlewatt.redis.secret" -}}
{{ .Values.redis.auth.existingSecret | default (include "idlewatt.redis.name" .) }}
{{- end -}}

{{/* The operator's connection to Redis, as environment variables: never on a command line. */}}
{{- define "idlewatt.redis.environment" -}}
- name: IDLEWATT_REDIS_URL
  value: {{ include "idlewatt.redis.url" . | quote }}
{{- if .Values.redis.enabled }}
- name: IDLEWATT_REDIS_USERNAME
  value: operator
- name: IDLEWATT_REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "idlewatt.redis.secret" . }}
      key: operator-password
{{- else }}
{{- with .Values.externalRedis.username }}
- name: IDLEWATT_REDIS_USERNAME
  value: {{ . | quote }}
{{- end }}
{{- with .Values.externalRedis.existingSecret }}
- name: IDLEWATT_REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.externalRedis.passwordKey }}
{{- end }}
{{- if include "idlewatt.redis.ca" . }}
- name: IDLEWATT_REDIS_CA_FILE
  value: /etc/idlewatt/redis-ca/ca.crt
{{- end }}
{{- end }}
{{- end -}}

{{/* The Secret with the certificate authority of an external Redis; empty where none is needed. */}}
{{- define "idlewatt.redis.ca" -}}
{{- if and (not .Values.redis.enabled) .Values.externalRedis.tls.enabled -}}
{{ .Values.externalRedis.tls.caSecret }}
{{- end -}}
{{- end -}}

{{- define "idlewatt.redis.caMount" -}}
{{- if include "idlewatt.redis.ca" . }}
- name: redis-ca
  mountPath: /etc/idlewatt/redis-ca
  readOnly: true
{{- end }}
{{- end -}}

{{- define "idlewatt.redis.caVolume" -}}
{{- with include "idlewatt.redis.ca" . }}
- name: redis-ca
  secret:
    secretName: {{ . }}
    items:
    - key: {{ $.Values.externalRedis.tls.caKey }}
      path: ca.crt
{{- end }}
{{- end -}}

{{/* The files of the embedded Redis; a change of them restarts it. */}}
{{- define "idlewatt.redis.files" -}}
start.sh: |
  {{- .Files.Get "files/redis-start.sh" | nindent 2 }}
redis.conf: |
  port 6379
  bind * -::*
  # Users have passwords, and the one without may do nothing.
  protected-mode no
  dir /data
  appendonly yes
  appendfsync {{ .Values.redis.appendfsync }}
  # The log of writes is all that is kept: no snapshots beside it.
  save ""
  maxmemory {{ .Values.redis.maxmemory }}
  maxmemory-policy noeviction
{{- end -}}
