{{/* What a schema can forbid and not explain: values that contradict each other, or our promises; and a
second release. Each is a sentence that says what to do. */}}
{{- define "idlewatt.refusals" -}}
{{- $external := .Values.externalRedis -}}
{{- if and .Values.redis.enabled $external.host -}}
{{- fail (printf "externalRedis.host is %s, and redis.enabled is true. There is one Redis: set redis.enabled to false, or leave the host out." $external.host) -}}
{{- end -}}
{{- if not (or .Values.redis.enabled $external.host) -}}
{{- fail "redis.enabled is false, and externalRedis.host is empty. Say there where a Redis is." -}}
{{- end -}}
{{- if and $external.username (not $external.existingSecret) -}}
{{- fail "externalRedis.username is given without a password. Name a Secret that has one in externalRedis.existingSecret." -}}
{{- end -}}
{{- if and $external.tls.caSecret (not $external.tls.enabled) -}}
{{- fail "externalRedis.tls.caSecret is given, and externalRedis.tls.enabled is false. Set it to true, or leave the Secret out." -}}
{{- end -}}
{{- if and .Values.priorityClass.create (not .Values.priorityClass.name) -}}
{{- fail "priorityClass.create is true, and priorityClass.name is empty. Give the class a name." -}}
{{- end -}}
{{- if eq .Values.schedulerName "default-scheduler" -}}
{{- fail "schedulerName is default-scheduler, which is Kubernetes' own: two schedulers would place the same pods. Take another name." -}}
{{- end -}}
{{- range concat .Values.tolerations .Values.redis.tolerations -}}
{{- if eq (.key | default "") "idlewatt.dev/vehicle" -}}
{{- fail "tolerations or redis.tolerations put up with the taint idlewatt.dev/vehicle. Operators and Redis do not belong on a car: they would end with its stay. Leave it out." -}}
{{- end -}}
{{- end -}}
{{- include "idlewatt.refusals.second" . -}}
{{- end -}}

{{/* Two operators of two releases know nothing of each other's Lease, and would both bind and drain. Taking
ownership would only hide that. */}}
{{- define "idlewatt.refusals.second" -}}
{{- range (lookup "rbac.authorization.k8s.io/v1" "ClusterRole" "" "").items -}}
{{- $labels := .metadata.labels | default dict -}}
{{- $annotations := .metadata.annotations | default dict -}}
{{- $release := index $annotations "meta.helm.sh/release-name" | default "" -}}
{{- $namespace := index $annotations "meta.helm.sh/release-namespace" | default "" -}}
{{- $ours := and (eq (index $labels "app.kubernetes.io/name" | default "") "idlewatt") (eq (index $labels "app.kubernetes.io/component" | default "") "operator") -}}
{{- if and $ours $release (or (ne $release $.Release.Name) (ne $namespace $.Release.Namespace)) -}}
{{- fail (printf "idlewatt is in this cluster already, as the release %s in the namespace %s. A cluster has one: two would bind and drain the same pods. Upgrade that one, or uninstall it first." $release $namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
