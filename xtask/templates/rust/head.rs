{% for line in head.lines %}// {{ line }}
{% endfor %}
